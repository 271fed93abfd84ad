"""How many micro-batches are at the encoder at a time."""

from __future__ import annotations

import threading


class ComputeSlots:
    """A bounded number of slots; a thread holds one before it takes a micro-batch from the queue.

    Args:
        number: of slots.

    Attributes:
        free: the free slots; to be held with ``with``.
        busy: held while a micro-batch is computed, inside ``free``.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self.free = threading.Semaphore(number)
        self.busy = _Computing()

    def wait_for_idle(self, timeout_s: float) -> bool:
        """Waits until a slot is not busy, at most ``timeout_s``; returns whether one is."""
        return self.busy.wait_below(self._number, timeout_s)


class _Computing:
    """Counts the threads inside its ``with``; a class, because generators as context managers cost microseconds."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._number = 0

    def __enter__(self) -> None:
        with self._changed:
            self._number += 1

    def __exit__(self, *error: object) -> None:
        with self._changed:
            self._number -= 1
            self._changed.notify()

    def wait_below(self, number: int, timeout_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._number < number, timeout_s)
