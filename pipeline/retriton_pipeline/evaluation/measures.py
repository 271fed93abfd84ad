"""Measures of a ranking, with the uncertainty that so many queries leave."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from ir_measures import AP, RR, Measure, Qrel, R, ScoredDoc, iter_calc, nDCG

DEPTH = 100
MEASURES: dict[str, Measure] = {
    "ndcg@10": nDCG @ 10,
    "recall@5": R @ 5,
    "recall@10": R @ 10,
    "recall@100": R @ DEPTH,
    "mrr@10": RR @ 10,
    "map@100": AP @ DEPTH,
}
_RESAMPLES = 1000


@dataclass(frozen=True)
class Score:
    """A mean over queries, and the bounds of its 95 % confidence interval (percentile bootstrap over queries)."""

    mean: float
    low: float
    high: float


def per_query(qrels: list[Qrel], run: Iterable[ScoredDoc]) -> dict[str, dict[str, float]]:
    """The measures of every judged query, by query id; without hits they are zero."""
    names = {measure: name for name, measure in MEASURES.items()}
    values = {qrel.query_id: dict.fromkeys(MEASURES, 0.0) for qrel in qrels}
    for metric in iter_calc(list(MEASURES.values()), qrels, run):
        values[metric.query_id][names[metric.measure]] = metric.value
    return values


def summarize(values: dict[str, dict[str, float]]) -> dict[str, Score]:
    """Means over all queries, by measure."""
    table = np.array([[row[name] for name in MEASURES] for row in values.values()])
    picks = np.random.default_rng(0).integers(0, len(table), (_RESAMPLES, len(table)))
    means = np.stack([table[pick].mean(axis=0) for pick in picks])
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    return {name: Score(float(table[:, n].mean()), float(low[n]), float(high[n])) for n, name in enumerate(MEASURES)}
