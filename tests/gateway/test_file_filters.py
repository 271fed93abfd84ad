"""OpenAI's filters: what they become, and errors in the words of the request, not of the expression."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.schemas.file_filters import FileFilter, expression_of
from retriton_pipeline.store.filters import parse
from tests.gateway.in_process import in_process

FILTERS: TypeAdapter[Any] = TypeAdapter(FileFilter)


def rendered(kind: str, value: Any, key: str = "a") -> str:
    return expression_of(FILTERS.validate_python({"type": kind, "key": key, "value": value}))


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("eq", "a", '" or 1==1 or "'),
        ("eq", 'a"] or 1==1 or metadata["b', 1),
        ("eq", "a\\", "b\\"),
        ("ne", "größe", "日本 😀"),
        ("gte", "a", "b"),
        ("gt", "a", 1.5e300),
        ("lt", "a", 1e308),
        ("eq", "a", 5e-324),
        ("eq", "a", float(2**70)),
        ("eq", "a", -(2**63)),
        ("in", "a", [1, 2.5]),
        ("nin", "a", ["x", '"]']),
    ],
)
def test_every_key_and_value_is_one_condition_on_metadata(kind: str, key: str, value: Any) -> None:
    node: Any = parse(rendered(kind, value, key))
    assert node.field.keys == (key,)
    assert (node.other if hasattr(node, "other") else list(node.values)) == value


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ("eq", [1], "eq compares 'a' with one value"),
        ("in", 1, "in compares 'a' with a list"),
        ("in", [1, "a"], "in compares 'a' with values of one type: texts or numbers"),
        ("gt", True, "gt compares 'a' with numbers or texts: true and false have no order"),
        ("eq", "a\nb", "eq compares 'a' with text without control characters"),
        ("nin", ["a", "\0"], "nin compares 'a' with text without control characters"),
        ("in", list(range(1024)), "characters as one expression, the limit is 4096"),
    ],
)
def test_what_cannot_be_compared_is_explained(kind: str, value: Any, told: str) -> None:
    with pytest.raises(ApiError, match="filters: ") as caught:
        rendered(kind, value)
    assert told in caught.value.message
    assert (caught.value.status, caught.value.param) == (400, "filters")


OTHER_VALUES = [
    (None, "a valid string or a valid boolean or a valid integer or a valid number or a valid list"),
    ({"x": 1}, "a valid string or a valid boolean"),
    ([], "List should have at least 1 item"),
    ("v" * 513, "String should have at most 512 characters"),
    (list(range(1025)), "List should have at most 1024 items"),
]


async def test_a_value_of_another_kind_is_refused_with_all_kinds_that_there_are() -> None:
    async with in_process() as http:
        for value, told in OTHER_VALUES:
            body = {"query": "q", "filters": {"type": "eq", "key": "a", "value": value}}
            error = (await http.post("/v1/vector_stores/documents/search", json=body)).json()["error"]
            assert error["param"] == "filters.value"
            assert error["message"].startswith("filters.value: ")
            assert told in error["message"]
