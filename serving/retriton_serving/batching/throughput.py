"""The throughput of a lane while it is busy."""

from __future__ import annotations

_WINDOW_S = 0.5
_IDLE_S = 0.25
_WEIGHT = 0.5  # of the newest window


class ThroughputEstimate:
    """Tokens per second, smoothed over the last windows in which the lane was busy. Not thread-safe."""

    def __init__(self) -> None:
        self.tokens_per_s = 0.0
        self._tokens = 0
        self._since_s = self._last_s = float("-inf")

    def add(self, tokens: int, now_s: float) -> None:
        """Counts ``tokens`` computed at ``now_s`` (monotonic seconds)."""
        if now_s - self._last_s > _IDLE_S:  # idle time says nothing about the throughput
            self._since_s, self._tokens = now_s, 0
        else:
            self._tokens += tokens
        self._last_s = now_s
        if (seconds := now_s - self._since_s) >= _WINDOW_S:
            newest = self._tokens / seconds
            old = self.tokens_per_s or newest
            self.tokens_per_s = _WEIGHT * newest + (1 - _WEIGHT) * old
            self._since_s, self._tokens = now_s, 0
