"""The weight of dense scores against BM25, learned on training queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from retriton_pipeline.retrieval.fusion import fuse
from retriton_pipeline.retrieval.ranking import Ranking
from retriton_pipeline.retrieval.settings import DEFAULTS
from retriton_tuning.labels import Task
from retriton_tuning.measures import NDCG, Run, Scores, score

CANDIDATES = DEFAULTS.candidates
FIXED_WEIGHT = DEFAULTS.dense_weight
_WEIGHTS = tuple(step / 20 for step in range(21))


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


def learned_weight(task: Task, dense: Run, bm25: Run, weights: Sequence[float] = _WEIGHTS) -> float:
    """The weight of dense scores with the best mean nDCG@10 of a task; of equals, the one nearest to the default."""
    means = {weight: float(score(task, hybrid(dense, bm25, weight)).ndcg.mean()) for weight in weights}
    return max(means, key=lambda weight: (round(means[weight], 4), -abs(weight - FIXED_WEIGHT)))


def hybrid(dense: Run, bm25: Run, dense_weight: float) -> Run:
    """Fuses the candidates of both searches as `retriton search` does, without a second hop."""
    return {query: _fused(dense[query], bm25.get(query, {}), dense_weight) for query in dense}


def _fused(dense: Mapping[str, float], bm25: Mapping[str, float], dense_weight: float) -> Mapping[str, float]:
    rankings = [Ranking(dict(list(scores.items())[:CANDIDATES]), lambda key: {}) for scores in (dense, bm25)]
    return fuse(rankings, [dense_weight, 1 - dense_weight]).scores
