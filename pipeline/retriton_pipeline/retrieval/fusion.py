"""Fusion of rankings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from retriton_pipeline.store import ScoredChunk

_RRF_K = 60  # Cormack, Clarke, Büttcher: Reciprocal Rank Fusion outperforms Condorcet (SIGIR 2009)
_Key = tuple[str, str, int]


def fuse(
    rankings: Sequence[Sequence[ScoredChunk]], weights: Sequence[float], method: str = "weighted"
) -> list[ScoredChunk]:
    """Fuses rankings into one; a chunk that a ranking lacks scores zero in it.

    ``weighted`` adds scores, min-max scaled within each ranking (Bruch et al., 2022: An Analysis of Fusion Functions
    for Hybrid Retrieval); ``rrf`` adds ``1 / (60 + rank)``.

    Args:
        rankings: each best first. A single one is returned unchanged.
        weights: one for each ranking.
        method: ``weighted`` or ``rrf``.
    """
    if len(rankings) == 1:
        return list(rankings[0])
    gains = _by_rank if method == "rrf" else min_max_scaled
    scores: dict[_Key, float] = {}
    merged: dict[_Key, ScoredChunk] = {}
    for ranking, weight in zip(rankings, weights, strict=True):
        for chunk, gain in zip(ranking, gains(ranking), strict=True):
            scores[chunk.key] = scores.get(chunk.key, 0.0) + weight * gain
            known = merged.get(chunk.key, chunk)
            merged[chunk.key] = replace(known, scores={**chunk.scores, **known.scores})
    best_first = sorted(merged, key=lambda key: -scores[key])
    return [with_score(merged[key], "fused", scores[key]) for key in best_first]


def with_score(chunk: ScoredChunk, stage: str, score: float) -> ScoredChunk:
    """The chunk with the score of a stage."""
    return replace(chunk, score=score, scores={**chunk.scores, stage: score})


def _by_rank(ranking: Sequence[ScoredChunk]) -> list[float]:
    return [1.0 / (_RRF_K + rank) for rank in range(1, len(ranking) + 1)]


def min_max_scaled(ranking: Sequence[ScoredChunk]) -> list[float]:
    """Scores scaled to 0 for the last and 1 for the first; all 1 if they are equal."""
    if not ranking:
        return []
    high, low = ranking[0].score, ranking[-1].score
    return [(chunk.score - low) / (high - low) if high > low else 1.0 for chunk in ranking]
