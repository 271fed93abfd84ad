from __future__ import annotations

import pytest

from retriton_pipeline.retrieval.fusion import fuse
from retriton_pipeline.store import ScoredChunk


def ranking(stage: str, **scores: float) -> list[ScoredChunk]:
    return [
        ScoredChunk(name, "", "", None, 0, name, score, document_id=name, scores={stage: score})
        for name, score in scores.items()
    ]


DENSE = ranking("dense", a=0.9, b=0.8, c=0.1)
WORDS = ranking("bm25", b=20.0, d=10.0)


def test_weighted_fusion_adds_stretched_scores() -> None:
    fused = fuse([DENSE, WORDS], [0.6, 0.4])
    assert [(hit.source, round(hit.score, 4)) for hit in fused] == [
        ("b", 0.925),  # 0.6 * 0.7 / 0.8 + 0.4
        ("a", 0.6),
        ("c", 0.0),
        ("d", 0.0),
    ]
    assert dict(fused[0].scores) == {"dense": 0.8, "bm25": 20.0, "fused": pytest.approx(0.925)}


def test_rank_fusion_adds_reciprocal_ranks() -> None:
    fused = fuse([DENSE, WORDS], [1.0, 1.0], "rrf")
    assert [hit.source for hit in fused] == ["b", "a", "d", "c"]
    assert fused[0].score == pytest.approx(1 / 62 + 1 / 61)


def test_a_single_ranking_keeps_its_scores_and_empty_ones_add_nothing() -> None:
    assert fuse([DENSE], [0.6]) == DENSE
    assert [hit.source for hit in fuse([DENSE, []], [0.6, 0.4])] == ["a", "b", "c"]
    assert fuse([[], []], [0.6, 0.4]) == []


def test_equal_scores_are_all_best() -> None:
    equal = ranking("dense", a=0.5, b=0.5)
    assert [hit.score for hit in fuse([equal, []], [0.6, 0.4])] == [0.6, 0.6]
