"""Several rankings into one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from retriton_pipeline.store import ScoredChunk

_RRF_K = 60  # Cormack, Clarke, Büttcher: Reciprocal Rank Fusion outperforms Condorcet (SIGIR 2009)
_Key = tuple[str, str, int]


def fuse(
    rankings: Sequence[Sequence[ScoredChunk]], weights: Sequence[float], method: str = "weighted"
) -> list[ScoredChunk]:
    """One ranking for several; a hit that a ranking lacks gets nothing from it.

    ``weighted`` adds up scores, each ranking's stretched to 0 to 1 (Bruch et al., 2022: An Analysis of Fusion Functions
    for Hybrid Retrieval); ``rrf`` adds up ``1 / (60 + rank)``.

    Args:
        rankings: each best first. A single one is returned as it is.
        weights: of the rankings.
        method: see above.
    """
    if len(rankings) == 1:
        return list(rankings[0])
    gains = _by_rank if method == "rrf" else stretched
    scores: dict[_Key, float] = {}
    merged: dict[_Key, ScoredChunk] = {}
    for ranking, weight in zip(rankings, weights, strict=True):
        for hit, gain in zip(ranking, gains(ranking), strict=True):
            scores[hit.key] = scores.get(hit.key, 0.0) + weight * gain
            known = merged.get(hit.key, hit)
            merged[hit.key] = replace(known, scores={**hit.scores, **known.scores})
    best_first = sorted(merged, key=lambda key: -scores[key])
    return [with_score(merged[key], "fused", scores[key]) for key in best_first]


def with_score(hit: ScoredChunk, stage: str, score: float) -> ScoredChunk:
    """The hit as a stage scored it."""
    return replace(hit, score=score, scores={**hit.scores, stage: score})


def _by_rank(ranking: Sequence[ScoredChunk]) -> list[float]:
    return [1.0 / (_RRF_K + rank) for rank in range(1, len(ranking) + 1)]


def stretched(ranking: Sequence[ScoredChunk]) -> list[float]:
    """From 0 for the last to 1 for the first; where all score the same, 1."""
    if not ranking:
        return []
    high, low = ranking[0].score, ranking[-1].score
    return [(hit.score - low) / (high - low) if high > low else 1.0 for hit in ranking]
