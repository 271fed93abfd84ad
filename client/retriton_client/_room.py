"""Room for the texts of concurrent requests."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from retriton_client._exceptions import DeadlineExceeded


class Room:
    """A bounded number of texts in flight. Requests get room in the order of their arrival.

    Args:
        texts: the most of all requests together; no request has more.
    """

    def __init__(self, texts: int) -> None:
        self._free = texts
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def held(self, texts: int, deadline_s: float) -> AsyncIterator[None]:
        """Holds room for ``texts``.

        Args:
            texts: of the request.
            deadline_s: deadline for free room, on the clock of ``time.monotonic``.

        Raises:
            DeadlineExceeded: there was no room before the deadline.
        """
        if self._waiting or texts > self._free:
            await self._wait(texts, deadline_s)
        else:
            self._free -= texts
        try:
            yield
        finally:
            self._give_back(texts)

    async def _wait(self, texts: int, deadline_s: float) -> None:
        """Returns when the request has room, which `_give_back` has counted then."""
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((texts, granted))
        try:
            async with asyncio.timeout(deadline_s - time.monotonic()):
                await granted
        except (TimeoutError, asyncio.CancelledError) as error:
            self._give_back(0 if granted.cancelled() else texts)
            if isinstance(error, TimeoutError):
                raise DeadlineExceeded("timed out while waiting for other requests of this client") from None
            raise

    def _give_back(self, texts: int) -> None:
        self._free += texts
        while self._waiting and (self._waiting[0][1].done() or self._waiting[0][0] <= self._free):
            needed, granted = self._waiting.popleft()
            if not granted.done():  # by the cancellation of its request
                self._free -= needed
                granted.set_result(None)
