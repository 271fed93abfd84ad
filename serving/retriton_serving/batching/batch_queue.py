"""The queue of a lane between threads: requests in, micro-batches out."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from retriton_serving.batching.length_sorted_queue import BatchLimits, LengthSortedQueue
from retriton_serving.batching.request import QueuedText
from retriton_serving.contract.errors import ShuttingDown


class BatchQueue:
    """A `LengthSortedQueue` with a lock, which can be closed.

    Args:
        limits: when a micro-batch is full.
    """

    def __init__(self, limits: BatchLimits) -> None:
        self._limits = limits
        self._texts: LengthSortedQueue[QueuedText] = LengthSortedQueue()
        self._not_empty = threading.Condition()
        self._closed = False

    @property
    def tokens(self) -> int:
        """Tokens that wait."""
        return self._texts.tokens

    def tokens_ahead(self, caller: str) -> int:
        """Tokens that are computed before a new text of ``caller``."""
        with self._not_empty:
            return self._texts.turns.tokens_ahead(caller)

    def check_open(self) -> None:
        """Raises `ShuttingDown` after `close`."""
        if self._closed:
            raise ShuttingDown("the server is stopping. Try another replica.")

    def put(self, texts: Iterable[QueuedText], urgent: bool = False) -> None:
        """Adds texts, urgent ones ahead of all others. Raises `ShuttingDown` after `close`, and adds none."""
        with self._not_empty:
            self.check_open()
            for text in texts:
                self._texts.add(len(text.ids), text, text.request.caller, urgent)
            self._not_empty.notify()

    def take(self) -> list[QueuedText] | None:
        """The next micro-batch, as soon as there is one; None once the queue is closed and empty."""
        with self._not_empty:
            while not self._texts:
                if self._closed:
                    return None
                self._not_empty.wait()
            batch = self._texts.take(self._limits)
            if self._texts:
                self._not_empty.notify()  # for another thread
            return batch

    def close(self) -> None:
        """Accepts no more texts; those that wait can still be taken."""
        with self._not_empty:
            self._closed = True
            self._not_empty.notify_all()
