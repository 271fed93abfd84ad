"""How well rankings are, by query, and whether a difference could be chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retriton_tuning.labels import Task

NDCG, RECALL = "ndcg@10", "recall@5"
Run = Mapping[str, Mapping[str, float]]  # by query id: score by passage id
Values = NDArray[np.float64]
_RESAMPLES = 9_999


@dataclass(frozen=True)
class Scores:
    """The measures of every query of a task, in the order of its queries; from 0 to 1.

    Attributes:
        ndcg: nDCG@10, ``[queries]``.
        recall: Recall@5, ``[queries]``.
    """

    ndcg: Values
    recall: Values

    def as_json(self) -> dict[str, float]:
        """The means, by the measure's name."""
        return {NDCG: round(float(self.ndcg.mean()), 4), RECALL: round(float(self.recall.mean()), 4)}


def score(task: Task, run: Run) -> Scores:
    """The measures of a run, by trec_eval; a query without hits scores zero."""
    import pytrec_eval  # ir_measures computes with it, too, but takes milliseconds a query

    judged = {query: dict(task.relevant[query]) for query in task.queries}
    evaluator = pytrec_eval.RelevanceEvaluator(judged, {"ndcg_cut.10", "recall.5"})
    found = evaluator.evaluate({query: dict(run[query]) for query in task.queries if run.get(query)})
    rows = [found.get(query, {}) for query in task.queries]
    return Scores(
        np.array([row.get("ndcg_cut_10", 0.0) for row in rows]), np.array([row.get("recall_5", 0.0) for row in rows])
    )


def p_value(before: Values, after: Values, groups: Sequence[int] | None = None, seed: int = 0) -> float:
    """The two-sided p-value of a paired randomisation test of the mean difference.

    Args:
        before: values of the queries.
        after: other values of the same queries.
        groups: by query; the differences of a group change their sign together, because queries about one document are
            not independent. None: each query is its own group.
        seed: of the random signs; the test is exact where there are few.
    """
    from scipy.stats import permutation_test

    differences = after - before
    if groups is not None:
        _, places = np.unique(np.asarray(groups), return_inverse=True)
        differences = np.bincount(places, weights=differences).astype(np.float64)
    if len(differences) < 2 or not differences.any():
        return 1.0
    found = permutation_test(
        (differences,),
        lambda x, axis: x.sum(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=_RESAMPLES,
        batch=1000,
        rng=np.random.default_rng(seed),
    )
    return float(found.pvalue)


def interval(differences: Values, seed: int = 0) -> tuple[float, float]:
    """The 95 % confidence interval of a mean (percentile bootstrap over queries)."""
    picks = np.random.default_rng(seed).integers(0, len(differences), (1000, len(differences)))
    low, high = np.percentile(differences[picks].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)
