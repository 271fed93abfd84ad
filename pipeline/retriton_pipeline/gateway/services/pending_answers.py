"""Answers that take longer than the caller waits: they are computed, kept for a while, and fetched by id."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from retriton_pipeline.gateway.errors import RETRY_AFTER_S, ApiError, api_error
from retriton_pipeline.gateway.fairness import Shares
from retriton_pipeline.gateway.metrics import GatewayMetrics
from retriton_pipeline.gateway.settings import Bounds

Work = Callable[[], Coroutine[Any, Any, bytes]]
_EXPIRE_S = 10.0
_RESERVED_BYTES = 16  # for each byte of a request, until the size of its answer is known


@dataclass
class _Pending:
    owner: str
    work: asyncio.Task[bytes]
    expires_s: float
    size_bytes: int


@dataclass(frozen=True)
class Ticket:
    """The id of an answer, and its body if it is complete."""

    id: str
    body: bytes | None


class PendingAnswers:
    """Answers that are computed, or wait to be fetched; limited in number, bytes and age."""

    def __init__(self, bounds: Bounds, metrics: GatewayMetrics) -> None:
        self._bounds = bounds
        self._metrics = metrics
        self._pending: dict[str, _Pending] = {}

    async def start(self, owner: str, work: Work, size_bytes: int, wait_s: float) -> Ticket:
        """Starts ``work``; the ticket has its result, if it takes less than ``wait_s``.

        Args:
            owner: the name of the caller's key; only the same key can fetch the answer.
            work: computes the body of the answer.
            size_bytes: of the request; determines how many bytes are reserved for the answer.
            wait_s: seconds to wait.

        Raises:
            ApiError: a limit is reached; or ``work`` failed within ``wait_s``.
        """
        self._discard_expired()
        reserved_bytes = size_bytes * _RESERVED_BYTES
        self._check_limits(owner, reserved_bytes)
        id_ = uuid.uuid4().hex
        task = asyncio.ensure_future(work())
        task.add_done_callback(lambda done: self._set_size(id_))
        self._pending[id_] = _Pending(owner, task, time.monotonic() + self._bounds.pending_s, reserved_bytes)
        try:
            return await self._wait(id_, wait_s)
        except asyncio.CancelledError:  # the caller disconnected without the id
            self._discard(id_)
            raise

    async def fetch(self, owner: str, id_: str, wait_s: float) -> Ticket:
        """The answer, if it is complete within ``wait_s``. It can be fetched once.

        Raises:
            ApiError: the owner has no answer of that id; or its work failed.
        """
        self._discard_expired()
        found = self._pending.get(id_)
        if found is None or found.owner != owner:
            message = "there is no such result, or it has expired: send the request again"
            raise ApiError(404, "result_not_found", message)
        return await self._wait(id_, wait_s)

    async def expire(self) -> None:
        """Discards answers that were not fetched in time; runs until it is cancelled."""
        while True:
            await asyncio.sleep(_EXPIRE_S)
            self._discard_expired()

    def close(self) -> None:
        """Cancels and discards everything."""
        for id_ in list(self._pending):
            self._discard(id_)

    async def _wait(self, id_: str, wait_s: float) -> Ticket:
        work = self._pending[id_].work
        await asyncio.wait((work,), timeout=wait_s)
        if not work.done():
            self._update_metrics()
            return Ticket(id_, None)
        self._discard(id_)
        if work.cancelled():
            raise ApiError(404, "result_not_found", "the result was discarded: send the request again")
        if (error := work.exception()) is not None:
            raise api_error(error)
        return Ticket(id_, work.result())

    def _check_limits(self, owner: str, reserved_bytes: int) -> None:
        results, sizes = Shares(self._bounds.pending), Shares(self._bounds.pending_bytes)
        for pending in self._pending.values():
            results.add(pending.owner, 1)
            sizes.add(pending.owner, pending.size_bytes)
        count, size = results.used, sizes.used
        if not (results.take(owner, 1) and sizes.take(owner, reserved_bytes)):
            raise ApiError(
                429,
                "too_many_pending",
                f"{count} results of {size} bytes are pending, the limits are {self._bounds.pending} results and "
                f"{self._bounds.pending_bytes} bytes: fetch yours, or try again",
                retry_after_s=RETRY_AFTER_S,
            )

    def _set_size(self, id_: str) -> None:
        found = self._pending.get(id_)
        if found and not found.work.cancelled() and found.work.exception() is None:
            found.size_bytes = len(found.work.result())
        self._update_metrics()

    def _discard_expired(self) -> None:
        now_s = time.monotonic()
        for id_ in [id_ for id_, pending in self._pending.items() if pending.expires_s < now_s]:
            self._discard(id_)

    def _discard(self, id_: str) -> None:
        if (found := self._pending.pop(id_, None)) is not None:
            found.work.cancel()
        self._update_metrics()

    def _update_metrics(self) -> None:
        self._metrics.pending_results.set(len(self._pending))
        self._metrics.pending_bytes.set(sum(pending.size_bytes for pending in self._pending.values()))
