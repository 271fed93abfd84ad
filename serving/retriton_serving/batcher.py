"""Runs a lane: admits requests into a bounded queue, and keeps the encoder fed with micro-batches.

It does not know Triton: a request is texts in, and one call back with vectors or with an error.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from retriton_serving.errors import Expired, Overloaded, RequestRefused, ShuttingDown
from retriton_serving.waiting import BatchLimits, WaitingTexts

TokenIds = NDArray[np.int64]
Vectors = NDArray[np.float32]
Encode = Callable[[TokenIds, TokenIds], Vectors]


class Reply(Protocol):
    """Where the outcome of a request goes. Exactly one of the first two is called, once."""

    def succeed(self, vectors: Vectors) -> None:
        """Takes float32 ``[texts, dimension]`` in the order of the texts."""

    def fail(self, error: RequestRefused) -> None:
        """Takes the reason why there are no vectors."""

    def is_abandoned(self) -> bool:
        """Whether nobody waits for the outcome any more."""


class Request:
    """Texts that are admitted, answered and refused together.

    Args:
        texts: the token ids of each text.
        reply: where the outcome goes.
        deadline_s: when the outcome is worth nothing any more, on ``time.monotonic``.
    """

    def __init__(self, texts: Sequence[Sequence[int]], reply: Reply, deadline_s: float | None = None) -> None:
        self.texts = texts
        self.reply = reply
        self.deadline_s = deadline_s
        self.tokens = sum(map(len, texts))
        self.closed = False
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


@dataclass(frozen=True)
class _Text:
    request: Request
    index: int
    ids: Sequence[int]


@dataclass(frozen=True)
class LaneLimits:
    """The bounds of a lane.

    Attributes:
        batch: when a micro-batch is full.
        waiting_tokens_max: the most tokens that may wait; a request beyond them is refused at once.
        in_flight_max: how many micro-batches may be at the encoder at a time.
    """

    batch: BatchLimits
    waiting_tokens_max: int
    in_flight_max: int = 2


class MicroBatcher:
    """The queue and the workers of one lane.

    Args:
        encode: computes vectors ``[n, dimension]`` from ids and mask, both int64 ``[n, longest]``; called from several
            threads at a time; may raise `RequestRefused`.
        limits: the bounds.
        pad_token_id: what fills a row.
    """

    def __init__(self, encode: Encode, limits: LaneLimits, pad_token_id: int = 0) -> None:
        self._encode = encode
        self._limits = limits
        self._pad_token_id = pad_token_id
        self._waiting: WaitingTexts[_Text] = WaitingTexts()
        self._changed = threading.Condition()
        self._closing = False
        self._workers = [threading.Thread(target=self._work, daemon=True) for _ in range(limits.in_flight_max)]
        for worker in self._workers:
            worker.start()

    def submit(self, request: Request) -> None:
        """Queues all texts of a request, or none.

        Raises:
            Overloaded: they do not fit into the queue. An empty queue takes any request.
            ShuttingDown: `close` was called.
        """
        with self._changed:
            if self._closing:
                raise ShuttingDown("the server is stopping. Try another replica.")
            waiting = self._waiting.tokens
            if waiting and waiting + request.tokens > self._limits.waiting_tokens_max:
                raise Overloaded(request.tokens, waiting, self._limits.waiting_tokens_max)
            for index, ids in enumerate(request.texts):
                self._waiting.add(len(ids), _Text(request, index, ids))
            self._changed.notify(len(self._workers))

    def close(self) -> None:
        """Takes nothing new, and returns when everything admitted is answered."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for worker in self._workers:
            worker.join()

    def _work(self) -> None:
        while (batch := self._next_batch()) is not None:
            wanted = [text for text in batch if self._is_wanted(text.request)]
            if wanted:
                self._compute(wanted)

    def _next_batch(self) -> list[_Text] | None:
        with self._changed:
            while not self._waiting:
                if self._closing:
                    return None
                self._changed.wait()
            return self._waiting.take(self._limits.batch)

    def _is_wanted(self, request: Request) -> bool:
        if request.closed:
            return False
        if request.reply.is_abandoned():
            self._fail(request, Expired("the caller left before the request was computed"))
        elif request.deadline_s is not None and time.monotonic() > request.deadline_s:
            self._fail(request, Expired("the deadline passed before the request was computed"))
        return not request.closed

    def _compute(self, batch: Sequence[_Text]) -> None:
        try:
            vectors = self._encode(*pad([text.ids for text in batch], self._pad_token_id))
        except RequestRefused as error:
            for text in batch:
                self._fail(text.request, error)
            return
        for text, vector in zip(batch, vectors, strict=True):
            with self._changed:
                complete = text.request.put(text.index, vector)
            if complete:
                text.request.reply.succeed(text.request.vectors())

    def _fail(self, request: Request, error: RequestRefused) -> None:
        with self._changed:
            if request.closed:
                return
            request.closed = True
        request.reply.fail(error)


def pad(texts: Sequence[Sequence[int]], pad_token_id: int) -> tuple[TokenIds, TokenIds]:
    """Token ids and attention mask, both int64 ``[texts, longest]``."""
    longest = max(map(len, texts))
    ids = np.full((len(texts), longest), pad_token_id, np.int64)
    mask = np.zeros((len(texts), longest), np.int64)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = text
        mask[row, : len(text)] = 1
    return ids, mask
