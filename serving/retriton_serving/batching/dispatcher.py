"""Threads that bring micro-batches to the encoder, and vectors to their requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from retriton_serving.batching.batch_queue import BatchQueue
from retriton_serving.batching.compute_slots import ComputeSlots
from retriton_serving.batching.padding import Padding, TokenIds
from retriton_serving.batching.request import QueuedText, Request, Vectors
from retriton_serving.batching.row_check import RowCheck
from retriton_serving.contract.errors import Expired, InvalidResult, RequestRefused

Encode = Callable[[TokenIds, TokenIds], Vectors]


@dataclass(frozen=True)
class ComputedBatch:
    """One computed micro-batch, for metrics, throughput and cache.

    Attributes:
        texts: what was computed, and can be used.
        vectors: float32 ``[texts, dimension]``.
        tokens: of the texts, and of those that failed the check.
        padded_tokens: with padding.
        queue_s: seconds that the oldest text waited.
        encode_s: seconds at the encoder, its own queue included.
        invalid: number of texts whose rows failed the check.
    """

    texts: Sequence[QueuedText]
    vectors: Vectors
    tokens: int
    padded_tokens: int
    queue_s: float
    encode_s: float
    invalid: int = 0


class Dispatcher:
    """Computes what a queue contains until the queue is closed and empty.

    Args:
        queue: of micro-batches.
        slots: bounds the micro-batches at the encoder. There is one thread more than slots: while it delivers
            vectors, the encoder already has the next micro-batch.
        threads: how many threads.
        encode: computes vectors ``[n, dimension]`` from ids and mask, int64 ``[n, longest]``; may raise
            `RequestRefused`.
        padding: makes the arrays.
        on_batch: called with every computed micro-batch, before it is delivered.
        check: of the rows; texts with a fault fail, others of the same micro-batch do not.
    """

    def __init__(
        self,
        queue: BatchQueue,
        slots: ComputeSlots,
        threads: int,
        encode: Encode,
        padding: Padding,
        on_batch: Callable[[ComputedBatch], None],
        check: RowCheck | None = None,
    ) -> None:
        self._queue = queue
        self._slots = slots
        self._encode = encode
        self._padding = padding
        self._on_batch = on_batch
        self._check = check
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Returns when the queue is closed and everything in it is answered."""
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while True:
            with self._slots.free:  # the slot first, then the texts: later arrivals can still join the batch
                texts = self._queue.take()
                if texts is None:
                    return
                with self._slots.busy:
                    wanted = _still_wanted(texts)
                    batch = self._compute(wanted) if wanted else None
            if batch is not None:
                for text, vector in zip(batch.texts, batch.vectors, strict=True):
                    text.request.put(text.place, vector)

    def _compute(self, texts: Sequence[QueuedText]) -> ComputedBatch | None:
        ids, mask = self._padding([text.ids for text in texts])
        start = time.perf_counter()
        queue_s = time.monotonic() - min(text.request.admitted_s for text in texts)
        try:
            vectors = self._encode(ids, mask)
        except RequestRefused as error:
            for text in texts:
                text.request.fail(error)
            return None
        if len(vectors) != len(texts):
            raise RuntimeError(f"the encoder returned {len(vectors)} vectors for {len(texts)} texts")
        encode_s, tokens = time.perf_counter() - start, sum(len(text.ids) for text in texts)
        faults = self._check.faults(vectors) if self._check else {}
        if faults:
            texts, vectors = _without(faults, texts, vectors)
        batch = ComputedBatch(texts, vectors, tokens, ids.size, queue_s, encode_s, len(faults))
        self._on_batch(batch)
        return batch


def _without(
    faults: Mapping[int, str], texts: Sequence[QueuedText], vectors: Vectors
) -> tuple[list[QueuedText], Vectors]:
    """The texts without faults and their vectors; the requests of the others are failed."""
    for row, fault in faults.items():
        texts[row].request.fail(InvalidResult(texts[row].place, fault))
    kept = [row for row in range(len(texts)) if row not in faults]
    return [texts[row] for row in kept], vectors[kept]


def _still_wanted(texts: Sequence[QueuedText]) -> list[QueuedText]:
    """The texts of requests that still wait for an answer; expired and abandoned requests are failed."""
    wanted = {request: _is_wanted(request) for request in {text.request for text in texts}}
    return [text for text in texts if wanted[text.request]]


def _is_wanted(request: Request) -> bool:
    if request.is_answered:
        return False
    if request.is_abandoned:
        request.fail(Expired("the caller disconnected before the request was computed"))
    elif request.deadline_s is not None and time.monotonic() > request.deadline_s:
        request.fail(Expired("the deadline passed before the request was computed"))
    return not request.is_answered
