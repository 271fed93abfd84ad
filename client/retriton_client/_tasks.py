"""Bounded requests side by side."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from retriton_client._exceptions import DeadlineExceeded


@asynccontextmanager
async def slot(slots: asyncio.Semaphore, deadline_s: float) -> AsyncIterator[None]:
    """A slot, if one gets free before the deadline."""
    try:
        async with asyncio.timeout(deadline_s - time.monotonic()):
            await slots.acquire()
    except TimeoutError:
        raise DeadlineExceeded("the time was over while other requests of this client were under way") from None
    try:
        yield
    finally:
        slots.release()


async def all_or_first_error(requests: Sequence[Any]) -> list[Any]:
    """The results in order; the first error cancels what is still under way."""
    tasks = [asyncio.ensure_future(request) for request in requests]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
