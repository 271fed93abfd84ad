"""Haystack's filters with values of any kind: accepted where the meaning is plain, and refused by name."""

from __future__ import annotations

import datetime
import enum
from typing import Any

import numpy as np
import pytest

from retriton.integrations.haystack_filters import expression
from retriton_client import InvalidRequest
from retriton_pipeline.store.filters import parse


class Team(str, enum.Enum):  # noqa: UP042 - str() of a member is its name
    SERVING = "serving"


def comparison(operator: Any, value: Any, field: Any = "meta.a") -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def nested(depth: int) -> dict[str, Any]:
    found = comparison("==", 1)
    for _ in range(depth):
        found = {"operator": "AND", "conditions": [found]}
    return found


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        (comparison("==", np.int64(3)), 'metadata["a"] == 3'),
        (comparison(">", np.float32(0.5)), 'metadata["a"] > 0.5'),
        (comparison("!=", np.bool_(True)), 'metadata["a"] != true'),
        (comparison("==", np.str_("x")), 'metadata["a"] == "x"'),
        (comparison("==", Team.SERVING), 'metadata["a"] == "serving"'),
        (comparison("in", np.array([1, 2])), 'metadata["a"] in [1, 2]'),
        (comparison("not in", (np.int8(1), 2)), 'metadata["a"] not in [1, 2]'),
        (
            comparison("==", '" or 1==1', 'meta.b"] or metadata["c'),
            'metadata["b\\"] or metadata[\\"c"] == "\\" or 1==1"',
        ),
        (nested(3), '(((metadata["a"] == 1)))'),
    ],
)
def test_what_is_plain_is_accepted(filters: dict[str, Any], told: str) -> None:
    assert expression(filters) == told
    parse(told)


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        ([comparison("==", 1)], "is no dictionary"),
        ("meta.a == 1", "is no dictionary"),
        ({"operator": "AND", "conditions": ["x"]}, "'x' is no dictionary"),
        ({"operator": "AND", "conditions": comparison("==", 1)}, "conditions are joined by AND, OR or NOT"),
        ({"operator": "AND", "conditions": None}, "conditions are joined"),
        ({"operator": ["AND"], "conditions": [comparison("==", 1)]}, "conditions are joined"),
        (comparison(["=="], 1), "needs field, value and an operator"),
        (comparison(None, 1), "needs field, value and an operator"),
        (comparison("contains", 1), "needs field, value and an operator"),
        (comparison("==", 1, 5), "needs field, value and an operator"),
        (comparison("in", 1), "in and not in need a list"),
        (comparison("in", None), "in and not in need a list"),
        (comparison("==", [1]), "in and not in need a list"),
        (comparison("==", np.array([1])), "in and not in need a list"),
        (comparison("in", [[1]]), r"\[1\] of a filter is no text"),
        (comparison("==", float("nan")), "nan of a filter is no number that can be compared"),
        (comparison("in", [np.inf]), "inf of a filter is no number"),
        (comparison(">", datetime.date(2026, 1, 1)), "is no text, number or boolean"),
        (comparison("==", b"a"), "is no text, number or boolean"),
        (comparison("==", "a\nb"), "has control characters"),
        (nested(5000), "nested more than 12 deep"),
    ],
)
def test_everything_else_is_refused(filters: Any, told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        expression(filters)
