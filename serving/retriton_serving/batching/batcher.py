"""The batching of one lane: requests of texts in, one reply with vectors or with an error each.

It knows no Triton. `Admission` decides what may wait, `BatchQueue` orders it, `Dispatcher` computes it in
`ComputeSlots`, and `VectorCache` remembers it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from retriton_serving.batching.admission import Admission
from retriton_serving.batching.batch_queue import BatchQueue
from retriton_serving.batching.compute_slots import ComputeSlots
from retriton_serving.batching.dispatcher import ComputedBatch, Dispatcher, Encode
from retriton_serving.batching.length_sorted_queue import BatchLimits
from retriton_serving.batching.padding import Padding
from retriton_serving.batching.request import QueuedText, Request
from retriton_serving.batching.row_check import RowCheck
from retriton_serving.batching.vector_cache import VectorCache


@dataclass(frozen=True)
class LaneLimits:
    """The bounds of a lane.

    Attributes:
        batch: when a micro-batch is full.
        waiting_seconds_max: new requests are refused while the queue takes longer than this at the lane's throughput.
        waiting_tokens_min: so many tokens may always wait.
        in_flight_max: micro-batches at the encoder at a time.
    """

    batch: BatchLimits
    waiting_seconds_max: float
    waiting_tokens_min: int
    in_flight_max: int


class MicroBatcher:
    """Admission, queue, dispatch and cache of one lane. Thread-safe.

    Args:
        encode: see `Dispatcher`; called from several threads at a time.
        limits: the bounds.
        padding: makes the arrays.
        record: called with every computed micro-batch.
        cache: where vectors are looked up first; None computes every text.
        check: of computed rows; None for none.
    """

    def __init__(
        self,
        encode: Encode,
        limits: LaneLimits,
        padding: Padding,
        record: Callable[[ComputedBatch], None] = lambda batch: None,
        cache: VectorCache | None = None,
        check: RowCheck | None = None,
    ) -> None:
        self._record = record
        self._cache = cache
        self._admission = Admission(limits.waiting_seconds_max, limits.waiting_tokens_min)
        self._queue = BatchQueue(limits.batch)
        self._slots = ComputeSlots(limits.in_flight_max)
        self._dispatcher = Dispatcher(
            self._queue, self._slots, limits.in_flight_max + 1, encode, padding, self._on_batch, check
        )

    @property
    def waiting_tokens(self) -> int:
        """Tokens that wait for the encoder."""
        return self._queue.tokens

    def check_room(self, deadline_s: float | None, urgent: bool = False, caller: str = "") -> None:
        """Raises what `submit` would raise for a request of ``caller`` with this deadline."""
        self._queue.check_open()
        if not urgent:
            self._admission.check(self._queue.tokens_ahead(caller), deadline_s)

    def submit(self, request: Request) -> None:
        """Queues all texts of a request, or none.

        Raises:
            Overloaded: too much waits before it, or for its deadline.
            ShuttingDown: `close` was called.
        """
        self.check_room(request.deadline_s, request.urgent, request.caller)
        missing = self._fill_from_cache(request)
        if missing:
            self._queue.put(missing, request.urgent)

    def wait_for_idle(self, timeout_s: float) -> None:
        """Returns when a new request could be computed at once, when the queue is full, or after ``timeout_s``.

        A caller that waits here brings more requests together, at no cost in latency: none could be computed earlier.
        """
        if self._queue.tokens < self._admission.waiting_tokens_max():
            self._slots.wait_for_idle(timeout_s)

    def close(self) -> None:
        """Accepts no more requests, and returns when every accepted one is answered."""
        self._queue.close()
        self._dispatcher.join()

    def _fill_from_cache(self, request: Request) -> list[QueuedText]:
        """Completes the texts that are cached, and returns the others. A probe is always computed."""
        texts = [QueuedText(request, place, ids) for place, ids in enumerate(request.texts)]
        if self._cache is None or request.urgent:
            return texts
        missing = []
        for text in texts:
            if (vector := self._cache.find(text.ids)) is None:
                missing.append(text)
            else:
                request.put(text.place, vector)
        return missing

    def _on_batch(self, batch: ComputedBatch) -> None:
        self._admission.record(batch.tokens)
        self._record(batch)
        if self._cache is not None:
            for text, vector in zip(batch.texts, batch.vectors, strict=True):
                self._cache.keep(text.ids, vector.copy())  # its own memory, not that of the whole micro-batch
