"""The chat endpoint's failures, each as a real one over HTTP shows it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from retriton_pipeline.errors import LLMError
from retriton_pipeline.generation import LLM
from retriton_pipeline.generation import llm as module
from tests.chat_endpoint import Behaviour, Says, chat_endpoint, raw_endpoint

BREAKS = Says(breaks=True)
EMPTY = Says(ends=False)
STALLS = Says(stalls_s=3)
QUESTION = [{"role": "user", "content": "?"}]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE_S", 0.01)


def llm(url: str) -> LLM:
    return LLM(url, "m", timeout_s=1.0)


@pytest.mark.parametrize("failures", [[503], [429, 500], [BREAKS], [EMPTY], [STALLS]])
async def test_a_failure_before_the_first_delta_is_retried(failures: list[Behaviour]) -> None:
    with chat_endpoint(*failures, Says(("yes", "indeed"))) as endpoint:
        assert await llm(endpoint.url).complete("?") == "yesindeed"
    assert len(endpoint.asked) == len(failures) + 1


async def test_a_failure_after_the_first_delta_is_not_retried() -> None:
    with chat_endpoint(Says(("yes",), breaks=True), Says(("again",))) as endpoint:
        answer = llm(endpoint.url).stream(QUESTION)
        assert (await anext(answer)).text == "yes"
        with pytest.raises(LLMError, match="broke off after the answer had begun"):
            await anext(answer)
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize(("status", "times"), [(401, 1), (404, 1), (400, 1), (503, 3)])
async def test_refusals_are_reported(status: int, times: int) -> None:
    with chat_endpoint(status) as endpoint:
        with pytest.raises(LLMError, match=rf"127.0.0.1:\d+/v1 \(m\).*{status}"):
            await llm(endpoint.url).complete("?")
    assert len(endpoint.asked) == times


async def test_closing_the_stream_stops_the_endpoint() -> None:
    with chat_endpoint(Says(("on and on ",) * 600, gap_s=0.01)) as endpoint:
        answer = llm(endpoint.url).stream(QUESTION)
        assert (await anext(answer)).text == "on and on "
        await answer.aclose()
        assert await asyncio.to_thread(endpoint.left.wait, 3)


async def test_an_answer_without_a_finish_reason_is_an_error() -> None:
    with chat_endpoint(Says(("half an",), ends=False)) as endpoint:
        with pytest.raises(LLMError, match="without a finish_reason"):
            await llm(endpoint.url).complete("?")


async def test_surrogate_pairs_split_over_deltas_are_joined() -> None:
    with chat_endpoint(Says(("a \ud83d", "\ude00 b", " \ud83d"))) as endpoint:
        assert await llm(endpoint.url).complete("?") == "a \U0001f600 b \ufffd"


async def test_deltas_that_are_not_text_are_an_error() -> None:
    with chat_endpoint(Says(("fine", ["odd"]))) as endpoint:
        with pytest.raises(LLMError, match="is not text"):
            await llm(endpoint.url).complete("?")


async def test_parts_of_text_are_joined_and_others_left_out() -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    parts = [thought, {"type": "text", "text": "fi"}, {"type": "text", "text": "ne"}]
    with chat_endpoint(Says((parts, " day", [thought]))) as endpoint:
        assert await llm(endpoint.url).complete("?") == "fine day"


USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


@pytest.mark.parametrize(
    "event",
    [
        {"choices": []},
        {"choices": None},
        {},
        {"choices": [None]},
        {"choices": [{"index": 0, "content_filter_results": {}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": None}]},
        {"choices": [{"index": 0, "delta": {}}]},
        {"choices": [{"index": 0, "delta": {"role": "assistant"}, "finish_reason": ""}]},
        {"choices": [{"index": 0, "delta": {"content": None}}], "usage": None},
        {"choices": [], "usage": USAGE},
        {"usage": USAGE},
        ": a comment",
    ],
)
async def test_events_without_text_are_skipped_wherever_they_are(event: dict[str, Any] | str) -> None:
    texts = [{"choices": [{"index": 0, "delta": {"content": text}}]} for text in ("yes", "indeed")]
    last = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    events = [event, texts[0], event, texts[1], event, last, event]
    with raw_endpoint(lambda: iter([*map(line, events), b"data: [DONE]\n\n"])) as (url, asked):
        deltas = [delta async for delta in llm(url).stream(QUESTION)]
    assert "".join(delta.text for delta in deltas) == "yesindeed"
    assert [delta.finish_reason for delta in deltas if delta.finish_reason] == ["stop"]
    assert len(asked) == 1


def line(event: dict[str, Any] | str) -> bytes:
    return f"{event}\n\n".encode() if isinstance(event, str) else f"data: {json.dumps(event)}\n\n".encode()


async def test_an_endpoint_that_does_not_stream_is_an_error_that_says_so() -> None:
    whole = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}]}
    kind = {"Content-Type": "application/json"}
    with raw_endpoint(lambda: iter([json.dumps(whole).encode()]), **kind) as (url, asked):
        with pytest.raises(LLMError, match="not with a stream of events"):
            await llm(url).complete("?")
    assert len(asked) == 1
