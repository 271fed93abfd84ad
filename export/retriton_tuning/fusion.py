"""The weight of dense scores against BM25, learned on training queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from retriton_pipeline.evaluation.learning import WEIGHTS, middle_of_best
from retriton_pipeline.retrieval.fusion import fuse
from retriton_pipeline.retrieval.ranking import Ranking
from retriton_pipeline.retrieval.settings import DEFAULTS
from retriton_tuning.labels import Task
from retriton_tuning.measures import NDCG, Run, Scores, score

FIXED_WEIGHT = DEFAULTS.dense_weight


@dataclass(frozen=True)
class Fusion:
    """Hybrid searches of the test part.

    Attributes:
        dense_weight: the weight of dense scores that is best on the training queries, from 0 to 1.
        before: hybrid with the original model and the default weight.
        after: hybrid with the tuned model and the learned weight.
        fixed: hybrid with the tuned model and the default weight.
        bm25: BM25 alone.
    """

    dense_weight: float
    before: Scores
    after: Scores
    fixed: Scores
    bm25: Scores

    def as_json(self) -> dict[str, object]:
        """For programs, means of nDCG@10."""
        names = ("before", "after", "fixed", "bm25")
        return {"dense_weight": self.dense_weight} | {name: getattr(self, name).as_json()[NDCG] for name in names}


def learned_weight(task: Task, dense: Run, bm25: Run, spread: float | None) -> float:
    """The weight of dense scores that is best for the queries of a task, as `retriton tune-search` learns it.

    Args:
        task: judged queries.
        dense: their dense rankings.
        bm25: their BM25 rankings.
        spread: see `hybrid`.
    """
    means = [float(score(task, hybrid(dense, bm25, weight, spread)).ndcg.mean()) for weight in WEIGHTS]
    return WEIGHTS[middle_of_best(means)]


def hybrid(dense: Run, bm25: Run, dense_weight: float, spread: float | None) -> Run:
    """Fuses the candidates of both searches as a search does, without a second hop.

    Args:
        dense: ranking of each query, by cosine.
        bm25: ranking of each query.
        dense_weight: weight of dense scores, from 0 to 1.
        spread: of the cosines (see `retriton_pipeline.vectors.cosine_spread`); None scales each ranking alone.
    """
    return {query: _fused(dense[query], bm25.get(query, {}), dense_weight, spread) for query in dense}


def _fused(
    dense: Mapping[str, float], bm25: Mapping[str, float], dense_weight: float, spread: float | None
) -> Mapping[str, float]:
    both = (dict(list(scores.items())[: DEFAULTS.candidates]) for scores in (dense, bm25))
    rankings = [Ranking(scores, lambda key: {}) for scores in both]
    return fuse(rankings, [dense_weight, 1 - dense_weight], spreads=[spread, None]).scores
