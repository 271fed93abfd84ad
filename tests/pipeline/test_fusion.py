from __future__ import annotations

import pytest

from retriton_pipeline.retrieval.fusion import fuse
from retriton_pipeline.retrieval.ranking import Ranking
from retriton_pipeline.store import Hit


def ranking(stage: str, **scores: float) -> Ranking:
    return Ranking.of(stage, [Hit(name, score) for name, score in scores.items()])


DENSE = ranking("dense", a=0.9, b=0.8, c=0.1)
WORDS = ranking("bm25", b=20.0, d=10.0)


def test_weighted_fusion_adds_stretched_scores() -> None:
    fused = fuse([DENSE, WORDS], [0.6, 0.4])
    assert [(name, round(score, 4)) for name, score in fused.scores.items()] == [
        ("b", 0.925),  # 0.6 * 0.7 / 0.8 + 0.4
        ("a", 0.6),
        ("c", 0.0),
        ("d", 0.0),
    ]
    assert fused.stages("b") == {"dense": 0.8, "bm25": 20.0, "fused": pytest.approx(0.925)}
    assert fused.stages("c") == {"dense": 0.1, "fused": 0.0}


def test_of_several_scores_of_a_stage_the_first_counts() -> None:
    fused = fuse([DENSE, ranking("dense", b=0.3, e=0.2)], [0.6, 0.6])
    assert fused.stages("b")["dense"] == 0.8
    assert fused.stages("e")["dense"] == 0.2


def test_rank_fusion_adds_reciprocal_ranks() -> None:
    fused = fuse([DENSE, WORDS], [1.0, 1.0], "rrf")
    assert fused.ids() == ["b", "a", "d", "c"]
    assert fused.scores["b"] == pytest.approx(1 / 62 + 1 / 61)


def test_a_single_ranking_keeps_its_scores_and_empty_ones_add_nothing() -> None:
    empty = ranking("bm25")
    assert fuse([DENSE], [0.6]) is DENSE
    assert fuse([DENSE, empty], [0.6, 0.4]).ids() == ["a", "b", "c"]
    assert fuse([empty, empty], [0.6, 0.4]).ids() == []


def test_equal_scores_are_all_best() -> None:
    equal = ranking("dense", a=0.5, b=0.5)
    assert list(fuse([equal, ranking("bm25")], [0.6, 0.4]).scores.values()) == [0.6, 0.6]
