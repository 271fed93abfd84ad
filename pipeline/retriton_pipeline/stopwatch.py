"""Durations of stages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Adds up the duration of each stage."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Adds the duration of the with-block to the stage ``name``."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._stages[name] = self._stages.get(name, 0.0) + (time.perf_counter() - start) * 1e3

    def milliseconds(self) -> dict[str, float]:
        """Returns milliseconds by stage, and ``total`` since the stopwatch was created."""
        return {**self._stages, "total": (time.perf_counter() - self._start) * 1e3}
