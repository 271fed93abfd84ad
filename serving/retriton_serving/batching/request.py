"""A request inside a lane: texts that are admitted, answered and refused together."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from retriton_serving.contract.errors import RequestRefused

Vectors = NDArray[np.float32]


class Reply(Protocol):
    """Where the outcome of a request goes. Exactly one of the first two is called, once."""

    def succeed(self, vectors: Vectors) -> None:
        """Takes float32 ``[texts, dimension]`` in the order of the texts."""

    def fail(self, error: RequestRefused) -> None:
        """Takes the reason why there are no vectors."""

    def is_abandoned(self) -> bool:
        """Whether nobody waits for the outcome any more."""


class Request:
    """Texts of one caller. Not thread-safe: the batcher guards it.

    Args:
        texts: the token ids of each text.
        reply: where the outcome goes.
        deadline_s: when the outcome is worth nothing any more, on ``time.monotonic``.
        urgent: whether it goes ahead of all that wait, and past the bound of the queue: a health probe.
    """

    def __init__(
        self, texts: Sequence[Sequence[int]], reply: Reply, deadline_s: float | None = None, urgent: bool = False
    ) -> None:
        self.texts = texts
        self.reply = reply
        self.deadline_s = deadline_s
        self.urgent = urgent
        self.tokens = sum(map(len, texts))
        self.closed = False
        self.admitted_s = time.monotonic()
        self._vectors: list[Vectors | None] = [None] * len(texts)
        self._missing = len(texts)

    def put(self, index: int, vector: Vectors) -> bool:
        """Keeps the vector of text ``index``; true when it was the last one missing."""
        self._vectors[index] = vector
        self._missing -= 1
        return self._missing == 0 and not self.closed

    def vectors(self) -> Vectors:
        """All vectors, float32 ``[texts, dimension]``."""
        return np.stack([vector for vector in self._vectors if vector is not None])


class WaitingText(NamedTuple):
    """One text of a request, in the queue."""

    request: Request
    place: int  # among the texts of its request
    ids: Sequence[int]
