from __future__ import annotations

import numpy as np
import pytest

from retriton_pipeline.retrieval.fusion import fuse
from retriton_pipeline.retrieval.ranking import Ranking
from retriton_pipeline.store import Hit
from retriton_pipeline.vectors import cosine_spread, unit


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


def test_a_spread_keeps_a_flat_ranking_from_counting_as_much_as_a_steep_one() -> None:
    flat = ranking("dense", a=0.52, b=0.51, c=0.5)
    assert fuse([flat, WORDS], [0.6, 0.4]).ids()[0] == "b"
    assert fuse([ranking("dense", a=0.52, c=0.5), WORDS], [0.6, 0.4]).ids()[0] == "a"
    assert fuse([ranking("dense", a=0.52, c=0.5), WORDS], [0.6, 0.4], spreads=[1.0, None]).ids()[0] == "b"


@pytest.mark.parametrize("range_", [1.0, 0.3])
def test_fusion_does_not_depend_on_the_range_of_an_encoders_cosines(range_: float) -> None:
    vectors = unit(np.random.default_rng(0).normal(size=(64, 8)).astype(np.float32))
    shared = np.full((64, 1), ((1 - range_) / range_) ** 0.5, np.float32)  # adds the same to all cosines
    spread = cosine_spread(unit(np.hstack([vectors, shared])))
    assert spread == pytest.approx(range_ * (cosine_spread(vectors) or 0), rel=1e-3)
    scores = {name: 1 - range_ + range_ * score for name, score in DENSE.scores.items()}
    fused = fuse([ranking("dense", **scores), WORDS], [0.75, 0.25], spreads=[spread, None])
    plain = fuse([DENSE, WORDS], [0.75, 0.25], spreads=[cosine_spread(vectors), None])
    assert fused.scores == pytest.approx(dict(plain.scores), rel=1e-3)
