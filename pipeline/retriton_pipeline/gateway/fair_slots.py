"""Slots that keys share fairly: those who wait are served in turn, one request of each key after the other."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

current_key: ContextVar[str] = ContextVar("current_key", default="")  # the name of the API key of this request


class FairSlots:
    """A number of slots; requests beyond it wait.

    Args:
        count: slots.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Holds a slot for `current_key`."""
        await self._acquire(current_key.get())
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, key: str) -> None:
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it had a slot already
                self._release()
            else:
                self._forget(key, turn)
            raise

    def _release(self) -> None:
        while self._waiting:
            key, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._waiting[key] = turns  # behind all others
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _forget(self, key: str, turn: asyncio.Future[None]) -> None:
        turns = self._waiting.get(key, deque())
        if turn in turns:
            turns.remove(turn)
            if not turns:
                del self._waiting[key]
