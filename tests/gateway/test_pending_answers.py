"""Pending answers: limited, and available only to the key that asked."""

from __future__ import annotations

import asyncio

import pytest

from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.metrics import GatewayMetrics
from retriton_pipeline.gateway.services.pending_answers import PendingAnswers
from retriton_pipeline.gateway.settings import Bounds


class Work:
    """Work that ends when `finish` is set.

    Attributes:
        error: what it raises at its end.
        started, ended: set when it starts, and when it ends or is cancelled.
    """

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.started, self.finish, self.ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def __call__(self) -> bytes:
        self.started.set()
        try:
            await self.finish.wait()
            if self.error:
                raise self.error
            return b"done"
        finally:
            self.ended.set()


async def done() -> bytes:
    return b"done"


def answers(**bounds: float) -> PendingAnswers:
    return PendingAnswers(Bounds(**bounds), GatewayMetrics())  # type: ignore[arg-type]


async def test_a_fast_answer_is_returned_and_not_kept() -> None:
    pending = answers()
    ticket = await pending.start("me", done, 1, wait_s=1.0)
    assert ticket.body == b"done"
    with pytest.raises(ApiError, match="no such result"):
        await pending.fetch("me", ticket.id, 0.0)


async def test_a_slow_answer_is_fetched_once_by_its_owner() -> None:
    pending, work = answers(), Work()
    ticket = await pending.start("me", work, 1, wait_s=0.0)
    assert ticket.body is None
    with pytest.raises(ApiError):
        await pending.fetch("you", ticket.id, 0.0)
    assert (await pending.fetch("me", ticket.id, 0.0)).body is None
    work.finish.set()
    assert (await pending.fetch("me", ticket.id, 1.0)).body == b"done"
    with pytest.raises(ApiError):
        await pending.fetch("me", ticket.id, 0.0)


async def test_their_number_is_limited() -> None:
    pending = answers(pending=2)
    for _ in range(2):
        await pending.start("me", Work(), 1, wait_s=0.0)
    with pytest.raises(ApiError, match="2 results of .* limits are 2 results") as caught:
        await pending.start("me", Work(), 1, wait_s=0.0)
    assert (caught.value.status, caught.value.retry_after_s) == (429, 1)
    pending.close()


async def test_their_bytes_are_limited() -> None:
    with pytest.raises(ApiError, match="1000 bytes"):
        await answers(pending_bytes=1000).start("me", Work(), 100, wait_s=0.0)


async def test_their_age_is_limited() -> None:
    pending, work = answers(pending_s=0.0), Work()
    ticket = await pending.start("me", work, 1, wait_s=0.0)
    with pytest.raises(ApiError, match="expired"):
        await pending.fetch("me", ticket.id, 0.0)


async def test_a_failure_is_raised_when_the_answer_is_fetched() -> None:
    pending, work = answers(), Work(ApiError(400, "text_too_long", "text 0 has 402 tokens"))
    ticket = await pending.start("me", work, 1, wait_s=0.0)
    work.finish.set()
    with pytest.raises(ApiError, match="402 tokens"):
        await pending.fetch("me", ticket.id, 1.0)


async def test_a_caller_that_disconnects_without_the_id_cancels_the_work() -> None:
    pending, work = answers(), Work()
    task = asyncio.ensure_future(pending.start("me", work, 1, wait_s=5.0))
    await work.started.wait()
    task.cancel()
    await asyncio.wait_for(work.ended.wait(), 1)
