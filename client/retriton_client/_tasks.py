"""Bounded concurrency of requests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from retriton_client._exceptions import DeadlineExceeded

T = TypeVar("T")


@asynccontextmanager
async def slot(slots: asyncio.Semaphore, deadline_s: float) -> AsyncIterator[None]:
    """Holds one of ``slots``.

    Args:
        slots: bounds the concurrent requests.
        deadline_s: deadline for a free slot, on the clock of ``time.monotonic``.

    Raises:
        DeadlineExceeded: no slot was free before the deadline.
    """
    try:
        async with asyncio.timeout(deadline_s - time.monotonic()):
            await slots.acquire()
    except TimeoutError:
        raise DeadlineExceeded("timed out while waiting for other requests of this client") from None
    try:
        yield
    finally:
        slots.release()


async def all_or_first_error(requests: Sequence[Coroutine[Any, Any, T]], concurrent: bool = True) -> list[T]:
    """Returns the results in order; the first error cancels all unfinished requests."""
    if not concurrent:
        return await _one_by_one(requests)
    tasks = [asyncio.ensure_future(request) for request in requests]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _one_by_one(requests: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    try:
        return [await request for request in requests]
    finally:
        for request in requests:
            request.close()
