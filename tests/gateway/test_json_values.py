"""The number of values of a JSON body is bounded, however the body arrives."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.http.json_values import ValueCounter
from tests.gateway.in_process import in_process

TEXTS = st.text(alphabet='a",[{\\é', max_size=6)
VALUES = st.recursive(TEXTS | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner))


def separators(value: Any) -> int:
    """Brackets and commas of a JSON document."""
    if not isinstance(value, list | dict):
        return 0
    parts = value.values() if isinstance(value, dict) else value
    return 1 + max(0, len(value) - 1) + sum(map(separators, parts))


@given(VALUES, st.lists(st.integers(0, 200), max_size=8), st.booleans())
def test_what_is_in_strings_is_not_counted(value: Any, cuts: list[int], ascii_only: bool) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only).encode()
    places = [0, *sorted(cuts), len(body)]

    def feed(values_max: int) -> None:
        counter = ValueCounter(values_max)
        for start, end in itertools.pairwise(places):
            counter.feed(body[start:end])

    count = separators(value)
    strings = body.replace(rb"\\", b"").replace(rb"\"", b"").count(b'"') // 4
    feed(max(count, strings))
    if count:
        with pytest.raises(ApiError, match=f"the limit is {count - 1}"):
            feed(count - 1)


@pytest.mark.parametrize("piece", [b"[" * 65_536, b"1," * 32_768, b'"":' * 20_000])
async def test_a_body_is_refused_before_it_is_complete(piece: bytes) -> None:
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'{"input": ['
        while sent < 16 * 1024 * 1024:
            sent += len(piece)
            yield piece

    async with in_process() as http:
        headers = {"Content-Type": "application/json"}
        answer = await http.post("/v1/embeddings", content=body(), headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert sent < 8 * 1024 * 1024
