"""The share of the tuned weights, chosen with a model whose rankings are written down for each share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch

from retriton_tuning import interpolation
from retriton_tuning.labels import Task
from retriton_tuning.measures import Run

SHARES = (0.0, *interpolation.ALPHAS)


class Written:
    """A model with one weight: the share. Its ranking has the relevant passage at the written place, from 1."""

    checkpoint: Any = None

    def __init__(self, places: Mapping[str, Sequence[int]]) -> None:
        self.model = torch.nn.Linear(1, 1, bias=False)
        self.places = places
        self.asked: list[tuple[str, float]] = []

    @property
    def share(self) -> float:
        return round(float(self.model.weight.detach()), 2)

    def rank(self, task: Task, tokens_max: int | None = None) -> Run:
        self.asked.append((task.name, self.share))
        place = self.places[task.name][SHARES.index(self.share)]
        return {"q": {**{f"other{n}": 10.0 - n for n in range(1, place)}, "answer": 10.0 - place}}


def task(name: str) -> Task:
    return Task(name, {"q": "query"}, {"answer": "text"}, {"q": {"answer": 1}})


@pytest.mark.parametrize(
    ("validation", "general", "share"),
    [
        ((4, 3, 2, 2, 1, 1), (1, 1, 1, 1, 1, 1), 1.0),
        ((4, 3, 1, 1, 1, 2), (1, 1, 1, 1, 1, 1), 0.9),  # of equal ones, the largest
        ((4, 3, 2, 2, 1, 1), (1, 1, 1, 2, 2, 2), 0.5),  # more forgets what is general
        ((4, 3, 2, 2, 1, 1), (1, 2, 2, 2, 2, 2), 0.0),
        ((2, 3, 3, 4, 4, 4), (2, 1, 1, 1, 1, 1), 0.0),  # nothing is better
    ],
)
def test_the_largest_share_that_keeps_the_gain_and_holds_the_guard(
    validation: Sequence[int], general: Sequence[int], share: float
) -> None:
    ranking = Written({"validation": validation, "general": general})
    weights = [{"weight": torch.full((1, 1), value)} for value in (0.0, 1.0)]
    line = interpolation.Line(ranking, *weights)
    chosen, points = line.choose(task("validation"), [task("general")], 0.01, 128, lambda step: None)
    assert chosen.alpha == ranking.share == share
    assert chosen in points
    assert [point.alpha for point in points] == list(SHARES)
    assert all(point.guards for point in (points[0], chosen))


def test_guards_are_measured_where_they_decide() -> None:
    ranking = Written({"validation": (4, 3, 2, 2, 1, 1), "general": (1, 1, 1, 1, 1, 2)})
    weights = [{"weight": torch.full((1, 1), value)} for value in (0.0, 1.0)]
    interpolation.Line(ranking, *weights).choose(task("validation"), [task("general")], 0.01, 128, lambda step: None)
    assert [share for name, share in ranking.asked if name == "general"] == [0.0, 1.0, 0.9]
