"""Fusion of rankings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from retriton_pipeline.retrieval.ranking import Ranking

_RRF_K = 60  # Cormack, Clarke, Büttcher: Reciprocal Rank Fusion outperforms Condorcet (SIGIR 2009)


def fuse(
    rankings: Sequence[Ranking],
    weights: Sequence[float],
    method: str = "weighted",
    spreads: Sequence[float | None] = (),
) -> Ranking:
    """Fuses rankings into one; a chunk that a ranking lacks scores zero in it.

    ``weighted`` adds scaled scores (Bruch et al., 2022: An Analysis of Fusion Functions for Hybrid Retrieval); ``rrf``
    adds ``1 / (60 + rank)``. Scores are scaled to 0 for the last of a ranking, and 1 for the first; or 1 for ``spread``
    above the last, so that a ranking whose scores hardly differ counts less than one whose scores differ.

    Args:
        rankings: each best first. A single one is returned unchanged. Of the same stage's scores, the first counts.
        weights: one for each ranking.
        method: ``weighted`` or ``rrf``.
        spreads: one for each ranking, None for those whose first score is 1; by default for all.
    """
    if len(rankings) == 1:
        return rankings[0]
    scores: dict[str, float] = {}
    for ranking, weight, spread in zip(rankings, weights, spreads or [None] * len(rankings), strict=True):
        found = list(ranking.scores.values())
        gains = _by_rank(found) if method == "rrf" else _above_last(found, spread) if spread else min_max_scaled(found)
        for key, gain in zip(ranking.scores, gains, strict=True):
            scores[key] = scores.get(key, 0.0) + weight * gain
    best_first = dict(sorted(scores.items(), key=lambda item: -item[1]))
    return with_stage("fused", best_first, rankings)


def with_stage(stage: str, scores: Mapping[str, float], earlier: Sequence[Ranking]) -> Ranking:
    """The ranking ``scores`` of a stage, after those of earlier stages."""

    def stages(key: str) -> dict[str, float]:
        found: dict[str, float] = {}
        for ranking in reversed(earlier):
            found |= ranking.stages(key)
        return {**found, stage: scores[key]} if key in scores else found

    return Ranking(scores, stages)


def min_max_scaled(scores: Sequence[float]) -> list[float]:
    """Scores, best first, scaled to 0 for the last and 1 for the first; all 1 if they are equal."""
    if not scores:
        return []
    high, low = scores[0], scores[-1]
    return [(score - low) / (high - low) if high > low else 1.0 for score in scores]


def _above_last(scores: Sequence[float], spread: float) -> list[float]:
    return [(score - scores[-1]) / spread for score in scores]


def _by_rank(scores: Sequence[float]) -> list[float]:
    return [1.0 / (_RRF_K + rank) for rank in range(1, len(scores) + 1)]
