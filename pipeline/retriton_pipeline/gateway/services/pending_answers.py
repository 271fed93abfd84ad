"""Answers that take longer than a moment: they are worked on, kept for a while, and fetched."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from retriton_pipeline.gateway.http.errors import RETRY_AFTER_S, Refused, refusal
from retriton_pipeline.gateway.metrics import GatewayMetrics
from retriton_pipeline.gateway.settings import Bounds

Work = Callable[[], Coroutine[Any, Any, bytes]]
_EXPIRE_S = 10.0
_RESERVED_BYTES = 16  # for each byte of a request, until its answer is known: a vector is longer than its text


@dataclass
class _Result:
    owner: str
    work: asyncio.Task[bytes]
    expires_s: float
    size_bytes: int


@dataclass(frozen=True)
class Ticket:
    """What is known of an answer: its id, and its body once there is one."""

    id: str
    body: bytes | None


class Pending:
    """Answers under way and answers to be fetched; bounded in number, bytes and age."""

    def __init__(self, bounds: Bounds, metrics: GatewayMetrics) -> None:
        self._bounds = bounds
        self._metrics = metrics
        self._results: dict[str, _Result] = {}

    async def begin(
        self, owner: str, work: Callable[[], Coroutine[Any, Any, bytes]], size_bytes: int, wait_s: float
    ) -> Ticket:
        """Works for ``wait_s``, and answers with the result, or with the id under which it will be found.

        Args:
            owner: whose key asked; nobody else gets the result.
            work: gives the body of the answer.
            size_bytes: of the request, from which the room for the answer is reserved.
            wait_s: how long the caller waits now.

        Raises:
            Refused: there is no room for one more; or the work failed within ``wait_s``.
        """
        self._expire()
        reserved = size_bytes * _RESERVED_BYTES
        self._check_room(reserved)
        ticket = uuid.uuid4().hex
        task = asyncio.ensure_future(work())
        task.add_done_callback(lambda done: self._measure(ticket))
        self._results[ticket] = _Result(owner, task, time.monotonic() + self._bounds.pending_s, reserved)
        try:
            return await self._wait(ticket, wait_s)
        except asyncio.CancelledError:  # the caller left before it had the id
            self._forget(ticket)
            raise

    async def fetch(self, owner: str, ticket: str, wait_s: float) -> Ticket:
        """The result, if it is there within ``wait_s``; it is forgotten as soon as it is given out.

        Raises:
            Refused: there is none of that id for this owner; or the work failed.
        """
        self._expire()
        found = self._results.get(ticket)
        if found is None or found.owner != owner:
            raise Refused(404, "result_not_found", "there is no such result, or not any more: ask again")
        return await self._wait(ticket, wait_s)

    async def expire(self) -> None:
        """Forgets what nobody fetched; runs until it is cancelled."""
        while True:
            await asyncio.sleep(_EXPIRE_S)
            self._expire()

    def close(self) -> None:
        """Gives up what is under way."""
        for ticket in list(self._results):
            self._forget(ticket)

    async def _wait(self, ticket: str, wait_s: float) -> Ticket:
        work = self._results[ticket].work
        await asyncio.wait((work,), timeout=wait_s)
        if not work.done():
            self._gauge()
            return Ticket(ticket, None)
        self._forget(ticket)
        if work.cancelled():
            raise Refused(404, "result_not_found", "the result was given up: ask again")
        if (error := work.exception()) is not None:
            raise refusal(error)
        return Ticket(ticket, work.result())

    def _check_room(self, reserved: int) -> None:
        count, size = len(self._results), sum(result.size_bytes for result in self._results.values())
        if count >= self._bounds.pending or size + reserved > self._bounds.pending_bytes:
            raise Refused(
                429,
                "too_many_pending",
                f"{count} results of {size} bytes are pending, at most {self._bounds.pending} of "
                f"{self._bounds.pending_bytes} may: fetch yours, or try again",
                retry_after_s=RETRY_AFTER_S,
            )

    def _measure(self, ticket: str) -> None:
        result = self._results.get(ticket)
        if result and not result.work.cancelled() and result.work.exception() is None:
            result.size_bytes = len(result.work.result())
        self._gauge()

    def _expire(self) -> None:
        now = time.monotonic()
        for ticket in [ticket for ticket, result in self._results.items() if result.expires_s < now]:
            self._forget(ticket)

    def _forget(self, ticket: str) -> None:
        if (result := self._results.pop(ticket, None)) is not None:
            result.work.cancel()
        self._gauge()

    def _gauge(self) -> None:
        self._metrics.pending_results.set(len(self._results))
        self._metrics.pending_bytes.set(sum(result.size_bytes for result in self._results.values()))
