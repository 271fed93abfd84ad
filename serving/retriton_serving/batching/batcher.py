"""Runs a lane: admits requests into a bounded queue, and keeps the encoder fed with micro-batches.

It does not know Triton: a request is texts in, and one call back with vectors or with an error.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from retriton_serving.batching.length_sorted_queue import BatchLimits, WaitingTexts
from retriton_serving.batching.padding import Padding, TokenIds
from retriton_serving.batching.request import Request, Vectors, WaitingText
from retriton_serving.batching.throughput import Pace
from retriton_serving.batching.vector_cache import VectorCache
from retriton_serving.contract.errors import Expired, Overloaded, RequestRefused, ShuttingDown

Encode = Callable[[TokenIds, TokenIds], Vectors]


@dataclass(frozen=True)
class LaneLimits:
    """The bounds of a lane.

    Attributes:
        batch: when a micro-batch is full.
        waiting_seconds_max: while what waits would take longer than this, at the pace of the lane's last seconds, new
            requests are refused at once.
        waiting_tokens_min: so many tokens may always wait, whatever the pace.
        in_flight_max: how many micro-batches may be at the encoder at a time.
    """

    batch: BatchLimits
    waiting_seconds_max: float
    waiting_tokens_min: int
    in_flight_max: int


@dataclass(frozen=True)
class BatchRecord:
    """What happened to one micro-batch, for metrics.

    Attributes:
        texts, tokens: how many were computed.
        padded_tokens: the tokens with padding.
        queue_s: how long the oldest of them waited before.
        encode_s: how long the encoder took, its own queue included.
    """

    texts: int
    tokens: int
    padded_tokens: int
    queue_s: float
    encode_s: float


class MicroBatcher:
    """The queue and the workers of one lane.

    Args:
        encode: computes vectors ``[n, dimension]`` from ids and mask, both int64 ``[n, longest]``; called from several
            threads at a time; may raise `RequestRefused`.
        limits: the bounds.
        padding: makes the arrays.
        record: told of every micro-batch.
        cache: where vectors are looked for first; None looks nowhere.
    """

    def __init__(
        self,
        encode: Encode,
        limits: LaneLimits,
        padding: Padding,
        record: Callable[[BatchRecord], None] = lambda batch: None,
        cache: VectorCache | None = None,
    ) -> None:
        self._encode = encode
        self._limits = limits
        self._padding = padding
        self._record = record
        self._cache = cache
        self._waiting: WaitingTexts[WaitingText] = WaitingTexts()
        self._pace = Pace()
        lock = threading.RLock()
        self._changed = threading.Condition(lock)
        self._slot_freed = threading.Condition(lock)
        self._computing = 0
        self._closing = False
        self._slots = threading.Semaphore(limits.in_flight_max)
        # One more than there are slots: while it hands out results, the encoder has the next micro-batch already.
        self._workers = [threading.Thread(target=self._work, daemon=True) for _ in range(limits.in_flight_max + 1)]
        for worker in self._workers:
            worker.start()

    @property
    def waiting_tokens(self) -> int:
        """How many tokens wait for the encoder now."""
        return self._waiting.tokens

    def submit(self, request: Request) -> None:
        """Queues all texts of a request, or none.

        Raises:
            Overloaded: the queue is full, or too long for the request's deadline. One that is not takes a request of
                any size, so that large requests do not starve among small ones, nor the encoder among large ones.
            ShuttingDown: `close` was called.
        """
        with self._changed:
            self.check_room(request.deadline_s, request.urgent)
            unknown = self._fill_from_cache(request)
            for index in unknown:
                ids = request.texts[index]
                self._waiting.add(len(ids), WaitingText(request, index, ids), request.urgent)
            self._changed.notify()
        if not unknown:
            request.reply.succeed(request.vectors())

    def check_room(self, deadline_s: float | None, urgent: bool) -> None:
        """Raises what `submit` would raise now for a request with that deadline."""
        with self._changed:
            if self._closing:
                raise ShuttingDown("the server is stopping. Try another replica.")
            waiting, waiting_max = self._waiting.tokens, self._waiting_tokens_max(deadline_s)
            if waiting >= waiting_max and not urgent:
                raise Overloaded(waiting, waiting_max)

    def gather(self, timeout_s: float) -> None:
        """Returns when a new request could be computed at once, or after ``timeout_s``.

        Whoever brings requests may wait here to bring more of them together: that costs less, and none is late. When
        the queue is full it returns at once, so that requests are refused without delay.
        """
        with self._changed:
            if self._waiting.tokens < self._waiting_tokens_max(None):
                self._slot_freed.wait_for(
                    lambda: self._closing or self._computing < self._limits.in_flight_max, timeout_s
                )

    def close(self) -> None:
        """Takes nothing new, and returns when everything admitted is answered."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for worker in self._workers:
            worker.join()

    def _fill_from_cache(self, request: Request) -> list[int]:
        """Gives the request what the cache knows; returns the places of the other texts. A probe asks the encoder."""
        if self._cache is None or request.urgent:
            return list(range(len(request.texts)))
        unknown = []
        for place, ids in enumerate(request.texts):
            if (vector := self._cache.find(ids)) is None:
                unknown.append(place)
            else:
                request.put(place, vector)
        return unknown

    def _waiting_tokens_max(self, deadline_s: float | None) -> int:
        """How much may wait in front of a new request, so that it is answered in time."""
        pace = self._pace.tokens_per_s
        allowed = max(self._limits.waiting_tokens_min, int(pace * self._limits.waiting_seconds_max))
        if deadline_s is None or not pace:
            return allowed
        return min(allowed, max(1, int(pace * (deadline_s - time.monotonic()))))

    def _work(self) -> None:
        while True:
            with self._slots:  # first the slot, then the texts: what arrives meanwhile can still join
                batch = self._next_batch()
                if batch is None:
                    return
                alive = {request: self._is_wanted(request) for request in {text.request for text in batch}}
                wanted = [text for text in batch if alive[text.request]]
                outcome = self._compute(wanted) if wanted else None
                self._end_computing()
            if outcome is not None:
                self._deliver(wanted, outcome)

    def _next_batch(self) -> list[WaitingText] | None:
        with self._changed:
            while not self._waiting:
                if self._closing:
                    return None
                self._changed.wait()
            batch = self._waiting.take(self._limits.batch)
            self._computing += 1
            if self._waiting:
                self._changed.notify()  # there is work for another slot
            return batch

    def _end_computing(self) -> None:
        with self._changed:
            self._computing -= 1
            self._slot_freed.notify()

    def _is_wanted(self, request: Request) -> bool:
        if request.closed:
            return False
        if request.reply.is_abandoned():
            self._fail(request, Expired("the caller left before the request was computed"))
        elif request.deadline_s is not None and time.monotonic() > request.deadline_s:
            self._fail(request, Expired("the deadline passed before the request was computed"))
        return not request.closed

    def _compute(self, batch: Sequence[WaitingText]) -> Vectors | None:
        ids, mask = self._padding([text.ids for text in batch])
        start = time.perf_counter()
        queue_s = time.monotonic() - min(text.request.admitted_s for text in batch)
        try:
            vectors = self._encode(ids, mask)
        except RequestRefused as error:
            for text in batch:
                self._fail(text.request, error)
            return None
        if len(vectors) != len(batch):
            raise RuntimeError(f"the encoder gave {len(vectors)} vectors for {len(batch)} texts")
        tokens = sum(len(text.ids) for text in batch)
        with self._changed:
            self._pace.add(tokens, time.monotonic())
        self._record(BatchRecord(len(batch), tokens, ids.size, queue_s, time.perf_counter() - start))
        if self._cache is not None:
            for text, vector in zip(batch, vectors, strict=True):
                self._cache.keep(text.ids, vector.copy())  # its own memory, not that of the whole micro-batch
        return vectors

    def _deliver(self, batch: Sequence[WaitingText], vectors: Vectors) -> None:
        with self._changed:
            complete = [
                text.request
                for text, vector in zip(batch, vectors, strict=True)
                if text.request.put(text.place, vector)
            ]
        for request in complete:
            request.reply.succeed(request.vectors())

    def _fail(self, request: Request, error: RequestRefused) -> None:
        with self._changed:
            if request.closed:
                return
            request.closed = True
        request.reply.fail(error)
