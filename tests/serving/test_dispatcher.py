"""The threads between queue and encoder, without admission and cache."""

from __future__ import annotations

import threading

import numpy as np

from retriton_serving.batching.batch_queue import BatchQueue
from retriton_serving.batching.compute_slots import ComputeSlots
from retriton_serving.batching.dispatcher import ComputedBatch, Dispatcher, Encode
from retriton_serving.batching.length_sorted_queue import BatchLimits
from retriton_serving.batching.padding import Padding, TokenIds
from retriton_serving.batching.request import QueuedText, Request, Vectors
from retriton_serving.contract.errors import EncoderUnavailable, Expired
from tests.serving.outcome import Outcome


class Gate:
    """An encoder, (sum of ids, number of tokens), whose calls wait until it is opened."""

    def __init__(self) -> None:
        self.calls = 0
        self._opened = threading.Event()
        self._called = threading.Condition()

    def __call__(self, ids: TokenIds, mask: TokenIds) -> Vectors:
        with self._called:
            self.calls += 1
            self._called.notify_all()
        assert self._opened.wait(10)
        return sums(ids, mask)

    def open(self) -> None:
        self._opened.set()

    def wait_for_calls(self, number: int) -> None:
        with self._called:
            assert self._called.wait_for(lambda: self.calls >= number, 10)


def sums(ids: TokenIds, mask: TokenIds) -> Vectors:
    return np.stack([(ids * mask).sum(1), mask.sum(1)], axis=1).astype(np.float32)


def queued(reply: Outcome, *texts: list[int]) -> list[QueuedText]:
    request = Request(texts, reply)
    return [QueuedText(request, place, ids) for place, ids in enumerate(texts)]


def compute_all(encode: Encode, texts: list[QueuedText], tokens_max: int = 64) -> list[ComputedBatch]:
    queue, computed = BatchQueue(BatchLimits(tokens_max)), list[ComputedBatch]()
    queue.put(texts)
    queue.close()
    Dispatcher(queue, ComputeSlots(2), 3, encode, Padding(0, 512), computed.append).join()
    return computed


def test_every_text_is_computed_and_delivered_to_its_place() -> None:
    outcome = Outcome()
    texts = [[2] * (1 + 7 * number % 13) for number in range(40)]
    computed = compute_all(sums, queued(outcome, *texts))
    assert outcome.vectors is not None
    np.testing.assert_array_equal(outcome.vectors, [[2 * len(text), len(text)] for text in texts])
    assert sum(len(batch.texts) for batch in computed) == 40
    assert sum(batch.tokens for batch in computed) == sum(map(len, texts))
    assert all(batch.tokens <= batch.padded_tokens <= 64 for batch in computed)


def test_abandoned_requests_are_failed_and_not_computed() -> None:
    outcome, abandoned = Outcome(), Outcome(abandoned=True)
    computed = compute_all(sums, [*queued(abandoned, [1], [2]), *queued(outcome, [3])])
    assert [len(batch.texts) for batch in computed] == [1]
    assert outcome.vectors is not None
    assert isinstance(abandoned.error, Expired)


def test_a_failing_encoder_fails_every_request_of_the_micro_batch() -> None:
    def encode(ids: TokenIds, mask: TokenIds) -> Vectors:
        raise EncoderUnavailable("gone")

    outcomes = [Outcome(), Outcome()]
    assert compute_all(encode, [text for outcome in outcomes for text in queued(outcome, [1], [2, 2])]) == []
    assert all(isinstance(outcome.error, EncoderUnavailable) for outcome in outcomes)


def test_no_more_micro_batches_are_at_the_encoder_than_there_are_slots() -> None:
    gate, outcome = Gate(), Outcome()
    queue, slots = BatchQueue(BatchLimits(4)), ComputeSlots(2)
    dispatcher = Dispatcher(queue, slots, 3, gate, Padding(0, 512), lambda batch: None)
    assert slots.wait_for_idle(0.0)
    queue.put(queued(outcome, *([number] * 4 for number in range(5))))
    gate.wait_for_calls(2)
    assert not slots.wait_for_idle(0.05)
    assert gate.calls == 2
    gate.open()
    assert outcome.done.wait(10)
    assert slots.wait_for_idle(10)
    queue.close()
    dispatcher.join()
    assert gate.calls == 5
