"""Slots for work of which only so much runs at a time, shared fairly among the API keys."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf

from retriton_pipeline.gateway.fairness import RoundRobin, current_key

_PACE_S = 0.25  # over which it is measured, unless each slot has become free before
_STALE_S = 5.0  # until a pace says nothing about the next queue


class Busy(Exception):
    """A slot would have to be waited for too long."""


class FairSlots:
    """A number of slots; those who wait for one are served in turn.

    Args:
        count: slots.
    """

    def __init__(self, count: int) -> None:
        self._free = self._count = count
        self._waiting: RoundRobin[asyncio.Future[None]] = RoundRobin()
        self._pace = Pace(count)

    @asynccontextmanager
    async def slot(self, waiting_s_max: float = inf) -> AsyncIterator[None]:
        """Holds a slot for `current_key`.

        Args:
            waiting_s_max: seconds for which a slot is waited for, at the pace at which slots become free. As many as
                there are slots may wait in any case.

        Raises:
            Busy: a slot would have to be waited for longer.
        """
        await self._acquire(current_key.get(), waiting_s_max)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, key: str, waiting_s_max: float) -> None:
        if self._free:
            self._free -= 1
            return
        ahead = self._waiting.ahead_of(key)
        if not ahead:
            self._pace.start()
        if ahead >= self._count and ahead * self._pace.turn_s > waiting_s_max:
            raise Busy(f"{ahead} requests wait, which takes {ahead * self._pace.turn_s:.1f} s at the present pace")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(key, turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it had a slot already
                self._release()
            else:
                self._waiting.discard(key, turn)
            raise

    def _release(self) -> None:
        self._pace.count()
        while (turn := self._waiting.take()) is not None:
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
        self._pace.pause()


class Pace:
    """How fast slots become free while requests wait for them.

    Args:
        slots: their number.

    Attributes:
        turn_s: seconds from one to the next, averaged over the last of them; 0 if they are not known.
    """

    def __init__(self, slots: int) -> None:
        self.turn_s = 0.0
        self._slots = slots
        self._measured_s = 0.0
        self._last_s: float | None = None  # when a slot became free, if requests have waited since then
        self._spent_s = 0.0
        self._turns = 0

    def start(self) -> None:
        """The first waits."""
        if time.monotonic() > self._measured_s + _STALE_S:
            self.turn_s = 0.0

    def count(self) -> None:
        """One has become free."""
        now_s = time.monotonic()
        if self._last_s is not None:
            self._spent_s += now_s - self._last_s
            self._turns += 1
            if self._spent_s >= _PACE_S or self._turns >= self._slots:
                self._measure(now_s)
        self._last_s = now_s

    def pause(self) -> None:
        """Nobody waits: the time until the next one says nothing."""
        self._last_s = None

    def _measure(self, now_s: float) -> None:
        newest_s = self._spent_s / self._turns
        average_s = (self.turn_s + newest_s) / 2 if self.turn_s else newest_s
        self.turn_s = min(newest_s, average_s)  # slow ones of before hold up nobody
        self._measured_s, self._spent_s, self._turns = now_s, 0.0, 0
