"""Bounded concurrency of requests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from retriton_client._exceptions import DeadlineExceeded


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
