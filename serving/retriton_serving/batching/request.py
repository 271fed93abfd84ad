"""A request inside a lane: texts that are admitted, computed and answered together."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from retriton_serving.contract.errors import RequestRefused

Vectors = NDArray[np.float32]
Tokens = Sequence[int] | NDArray[np.int64]  # the token ids of one text


class Reply(Protocol):
    """Where the outcome of a request goes. Exactly one of `succeed` and `fail` is called, once."""

    def succeed(self, vectors: Vectors) -> None:
        """Sends float32 ``[texts, dimension]``, in the order of the texts."""

    def fail(self, error: RequestRefused) -> None:
        """Sends the reason for which there are no vectors."""

    def is_abandoned(self) -> bool:
        """Whether the caller has disconnected."""


class Request:
    """The texts of one caller. Thread-safe; replies exactly once.

    Args:
        texts: the token ids of each text.
        reply: where the outcome goes.
        deadline_s: until when the outcome is useful, on ``time.monotonic``; None is always.
        urgent: whether it precedes all waiting requests and ignores the queue's bounds: a health probe.
        caller: the name of who sent it; see `Turns`.
    """

    def __init__(
        self,
        texts: Sequence[Tokens],
        reply: Reply,
        deadline_s: float | None = None,
        urgent: bool = False,
        caller: str = "",
    ) -> None:
        self.texts = texts
        self.deadline_s = deadline_s
        self.urgent = urgent
        self.caller = caller
        self.admitted_s = time.monotonic()
        self._reply = reply
        self._lock = threading.Lock()
        self._answered = False
        self._vectors: Vectors | None = None
        self._missing = len(texts)

    @property
    def is_answered(self) -> bool:
        """Whether a reply was sent."""
        return self._answered

    @property
    def is_abandoned(self) -> bool:
        """Whether the caller has disconnected."""
        return self._reply.is_abandoned()

    def put(self, index: int, vector: Vectors) -> None:
        """Stores the vector of text ``index``; the last one sends the reply."""
        with self._lock:
            vectors = self._store(index, vector)
            self._missing -= 1
            if self._missing or self._answered:
                return
            self._answered = True
        self._reply.succeed(vectors)

    def _store(self, index: int, vector: Vectors) -> Vectors:
        """The vectors of all texts so far; the vector of a single text is not copied."""
        if len(self.texts) == 1:
            return vector[np.newaxis]
        if self._vectors is None:
            self._vectors = np.empty((len(self.texts), *vector.shape), vector.dtype)
        self._vectors[index] = vector
        return self._vectors

    def fail(self, error: RequestRefused) -> None:
        """Sends the error, unless a reply was sent."""
        with self._lock:
            if self._answered:
                return
            self._answered = True
        self._reply.fail(error)


class QueuedText(NamedTuple):
    """One text of a request, in the queue.

    Attributes:
        request: the request.
        place: of the text in its request.
        ids: the token ids of the text.
    """

    request: Request
    place: int
    ids: Tokens
