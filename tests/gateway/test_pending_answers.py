"""Answers that are fetched later: bounded, and their owner's alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from retriton_pipeline.gateway.http.errors import Refused
from retriton_pipeline.gateway.metrics import GatewayMetrics
from retriton_pipeline.gateway.services.pending_answers import Pending
from retriton_pipeline.gateway.settings import Bounds


def pending(**bounds: float) -> Pending:
    return Pending(Bounds(**bounds), GatewayMetrics())  # type: ignore[arg-type]


def later(seconds: float) -> Callable[[], Coroutine[Any, Any, bytes]]:
    async def work() -> bytes:
        await asyncio.sleep(seconds)
        return b"done"

    return work


async def test_a_quick_answer_comes_at_once_and_is_not_kept() -> None:
    results = pending()
    ticket = await results.begin("me", later(0.0), 1, wait_s=1.0)
    assert ticket.body == b"done"
    with pytest.raises(Refused, match="no such result"):
        await results.fetch("me", ticket.id, 0.0)


async def test_a_slow_answer_is_fetched_by_its_owner_alone_and_once() -> None:
    results = pending()
    ticket = await results.begin("me", later(0.1), 1, wait_s=0.0)
    assert ticket.body is None
    with pytest.raises(Refused):
        await results.fetch("you", ticket.id, 0.0)
    assert (await results.fetch("me", ticket.id, 0.0)).body is None
    assert (await results.fetch("me", ticket.id, 1.0)).body == b"done"
    with pytest.raises(Refused):
        await results.fetch("me", ticket.id, 0.0)


async def test_number_bytes_and_age_are_bounded() -> None:
    few = pending(pending=2)
    for _ in range(2):
        await few.begin("me", later(5), 1, wait_s=0.0)
    with pytest.raises(Refused, match="2 results of .* at most 2") as caught:
        await few.begin("me", later(5), 1, wait_s=0.0)
    assert (caught.value.status, caught.value.retry_after_s) == (429, 1)
    few.close()
    small = pending(pending_bytes=1000)
    with pytest.raises(Refused, match="at most"):
        await small.begin("me", later(5), 100, wait_s=0.0)
    brief = pending(pending_s=0.05)
    ticket = await brief.begin("me", later(0.0), 1, wait_s=0.0)
    await asyncio.sleep(0.1)
    with pytest.raises(Refused, match="not any more"):
        await brief.fetch("me", ticket.id, 0.0)


async def test_a_failure_is_told_to_whoever_fetches() -> None:
    async def fails() -> bytes:
        await asyncio.sleep(0.01)
        raise Refused(400, "text_too_long", "text 0 has 402 tokens")

    results = pending()
    ticket = await results.begin("me", fails, 1, wait_s=0.0)
    with pytest.raises(Refused, match="402 tokens"):
        await results.fetch("me", ticket.id, 1.0)


async def test_who_leaves_without_the_id_takes_the_work_along() -> None:
    results, ended = pending(), asyncio.Event()

    async def work() -> bytes:
        try:
            return await later(5)()
        finally:
            ended.set()

    task = asyncio.ensure_future(results.begin("me", work, 1, wait_s=5.0))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait_for(ended.wait(), 1)
