"""A reply for tests."""

from __future__ import annotations

import threading

from retriton_serving.batching.request import Vectors
from retriton_serving.contract.errors import RequestRefused


class Outcome:
    """A reply that records its outcome, and fails if there is a second one."""

    def __init__(self, abandoned: bool = False) -> None:
        self.done = threading.Event()
        self.vectors: Vectors | None = None
        self.error: RequestRefused | None = None
        self.abandoned = abandoned

    def succeed(self, vectors: Vectors) -> None:
        assert not self.done.is_set()
        self.vectors = vectors
        self.done.set()

    def fail(self, error: RequestRefused) -> None:
        assert not self.done.is_set()
        self.error = error
        self.done.set()

    def is_abandoned(self) -> bool:
        return self.abandoned
