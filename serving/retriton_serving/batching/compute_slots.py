"""How many micro-batches are at the encoder at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class ComputeSlots:
    """A bounded number of slots; a thread holds one before it takes a micro-batch from the queue.

    Args:
        number: of slots.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._slots = threading.Semaphore(number)
        self._changed = threading.Condition()
        self._computing = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Waits for a slot, and holds it."""
        with self._slots:
            yield

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Marks the held slot as busy."""
        with self._changed:
            self._computing += 1
        try:
            yield
        finally:
            with self._changed:
                self._computing -= 1
                self._changed.notify()

    def wait_for_idle(self, timeout_s: float) -> None:
        """Returns when a slot is not computing, or after ``timeout_s``."""
        with self._changed:
            self._changed.wait_for(lambda: self._computing < self._number, timeout_s)
