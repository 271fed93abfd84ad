"""Chat endpoints that answer without end, in giant pieces, or from elsewhere."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from itertools import repeat

import pytest

from retriton_pipeline.errors import LLMError
from retriton_pipeline.generation import LLM
from tests.chat_endpoint import Body, raw_endpoint


def event(text: str) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return f"data: {json.dumps({'id': '1', 'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n".encode()


def comments() -> Iterator[bytes]:
    while True:
        yield b": waiting\n\n"
        time.sleep(0.05)


def slowly() -> Iterator[bytes]:
    while True:
        yield event("on and on ")
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("body", "answer_s_max", "reason"),
    [
        (lambda: repeat(event("on and on ")), 60, "exceeds 20000 characters"),
        (lambda: iter([event("x" * 30_000)]), 60, "exceeds 20000 characters"),
        (lambda: repeat(b"data: " + b"x" * 4096), 60, "line exceeds 1048576 bytes"),
        (lambda: repeat(b"\n" * 65536), 60, "response exceeds 2000000 bytes"),
        (lambda: repeat(b": comment\n\n" * 5000), 60, "response exceeds 2000000 bytes"),
        (slowly, 1.5, "not complete within 1.5 s"),
    ],
    ids=["deltas", "giant delta", "line", "empty lines", "comments", "slow"],
)
async def test_an_endless_answer_is_stopped_once(body: Body, answer_s_max: float, reason: str) -> None:
    started = time.monotonic()
    with raw_endpoint(body) as (url, asked):
        llm = LLM(url, "m", answer_s_max=answer_s_max, answer_characters_max=20_000, answer_bytes_max=2_000_000)
        with pytest.raises(LLMError, match=reason):
            await llm.complete("?")
    assert len(asked) == 1
    assert time.monotonic() - started < 30


async def test_comments_do_not_extend_the_time_until_a_delta() -> None:
    started = time.monotonic()
    with raw_endpoint(comments) as (url, _):
        with pytest.raises(LLMError, match="no delta within 0.3 s"):
            await LLM(url, "m", timeout_s=0.3).complete("?")
    assert time.monotonic() - started < 5


async def test_a_compressed_answer_is_refused() -> None:
    bomb = gzip.compress(event("x" * 10_000_000))
    with raw_endpoint(lambda: iter([bomb]), Content_Encoding="gzip") as (url, asked):
        with pytest.raises(LLMError, match="compressed"):
            await LLM(url, "m").complete("?")
    assert asked[0]["accept-encoding"] == "identity"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(status: int) -> None:
    with raw_endpoint(lambda: iter([event("stolen")])) as (other, stolen):
        with raw_endpoint(lambda: iter([]), status, Location=f"{other}/chat/completions") as (url, asked):
            with pytest.raises(LLMError, match=str(status)):
                await LLM(url, "m", api_key="secret").complete("?")
    assert len(asked) == 1
    assert not stolen
