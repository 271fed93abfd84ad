"""One call of the client, which may need several requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class Call:
    """The requests of one call: how many run at a time, and whether the server takes them.

    The lane refuses a request if too much waits there. For the only request of a call, or the first ones, that is the
    answer. But once the server takes the requests of a call, a refusal only says that there is no room yet: the lane is
    full of this call's own requests, or others came between.

    Args:
        requests_max: concurrent requests.
    """

    def __init__(self, requests_max: int) -> None:
        self._slots = asyncio.Semaphore(requests_max)
        self._in_flight = 0
        self._has_answers = False

    @property
    def is_taken(self) -> bool:
        """Whether a request of the call was answered, or is on its way."""
        return self._has_answers or self._in_flight > 0

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        """Around each attempt of a request."""
        self._in_flight += 1
        try:
            yield
            self._has_answers = True
        finally:
            self._in_flight -= 1

    async def results(self, requests: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
        """The results in order; the first error cancels all unfinished requests."""
        tasks = [asyncio.ensure_future(self._in_turn(request)) for request in requests]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for request in requests:
                request.close()

    async def _in_turn(self, request: Coroutine[Any, Any, T]) -> T:
        async with self._slots:
            return await request
