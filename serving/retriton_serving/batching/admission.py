"""Whether a new request is admitted to a lane's queue: bounds in tokens, in seconds, and by deadlines."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from retriton_serving.batching.throughput import ThroughputEstimate
from retriton_serving.contract.errors import Overloaded


class Admission:
    """Refuses what would wait too long at the lane's present throughput. Thread-safe.

    The bound is checked before a request is queued: while there is room, a request of any size is admitted, so that
    large requests do not starve among small ones, nor the encoder among large ones.

    Args:
        waiting_seconds_max: the most time that a request may wait.
        waiting_tokens_min: so many tokens may always wait, whatever the throughput.
        clock: seconds, as deadlines are given.
    """

    def __init__(
        self, waiting_seconds_max: float, waiting_tokens_min: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._waiting_seconds_max = waiting_seconds_max
        self._waiting_tokens_min = waiting_tokens_min
        self._clock = clock
        self._lock = threading.Lock()
        self._throughput = ThroughputEstimate()

    def record(self, tokens: int) -> None:
        """Counts computed tokens, for the throughput."""
        with self._lock:
            self._throughput.add(tokens, self._clock())

    def waiting_tokens_max(self, deadline_s: float | None = None) -> int:
        """Tokens that may wait ahead of a new request with this deadline."""
        throughput = self._throughput.tokens_per_s
        allowed = max(self._waiting_tokens_min, int(throughput * self._waiting_seconds_max))
        if deadline_s is None or not throughput:
            return allowed
        return min(allowed, max(1, int(throughput * (deadline_s - self._clock()))))

    def check(self, waiting_tokens: int, deadline_s: float | None) -> None:
        """Raises `Overloaded` if a new request that waits for ``waiting_tokens`` would wait too long."""
        waiting_max = self.waiting_tokens_max(deadline_s)
        if waiting_tokens >= waiting_max:
            raise Overloaded(waiting_tokens, waiting_max)
