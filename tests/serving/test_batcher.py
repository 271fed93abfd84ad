from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from retriton_serving.batching.batcher import LaneLimits, MicroBatcher
from retriton_serving.batching.length_sorted_queue import BatchLimits
from retriton_serving.batching.padding import Padding, TokenIds
from retriton_serving.batching.request import Request, Vectors
from retriton_serving.batching.vector_cache import VectorCache
from retriton_serving.contract.errors import EncoderUnavailable, Expired, Overloaded, ShuttingDown
from tests.serving.outcome import Outcome

LIMITS = LaneLimits(BatchLimits(64), waiting_seconds_max=1.0, waiting_tokens_min=90, in_flight_max=2)
PADDING = Padding(token_id=0, tokens_max=512)


class Gate:
    """An encoder that computes (sum of ids, number of tokens) of each text, once it is opened."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.calls: list[tuple[int, int]] = []
        self._called = threading.Condition()

    def wait_for_calls(self, number: int) -> None:
        """Returns when there were so many calls."""
        with self._called:
            assert self._called.wait_for(lambda: len(self.calls) >= number, 10)

    def __call__(self, ids: TokenIds, mask: TokenIds) -> Vectors:
        with self._called:
            self.calls.append(ids.shape)
            self._called.notify_all()
        assert self.open.wait(10)
        return np.stack([(ids * mask).sum(1), mask.sum(1)], axis=1).astype(np.float32)


def open_gate() -> Gate:
    gate = Gate()
    gate.open.set()
    return gate


def test_vectors_come_back_in_the_order_of_the_texts() -> None:
    batcher = MicroBatcher(open_gate(), LIMITS, PADDING)
    texts = [[5] * n for n in (9, 1, 30, 1, 17, 2)]
    outcome = Outcome()
    batcher.submit(Request(texts, outcome))
    assert outcome.done.wait(10)
    assert outcome.vectors is not None
    np.testing.assert_array_equal(outcome.vectors, [[5 * len(text), len(text)] for text in texts])
    batcher.close()


def test_a_full_queue_refuses_the_whole_request_at_once_with_both_numbers() -> None:
    gate = Gate()
    batcher = MicroBatcher(gate, LIMITS, PADDING)
    for number in range(LIMITS.in_flight_max):
        batcher.submit(Request([[1] * 60], Outcome()))
        gate.wait_for_calls(number + 1)
    admitted = Outcome()
    batcher.submit(Request([[1] * 50, [1] * 40], admitted))
    with pytest.raises(Overloaded, match="90 tokens are queued already, at most 90 may be"):
        batcher.submit(Request([[1] * 10, [1] * 10], Outcome()))
    gate.open.set()
    assert admitted.done.wait(10)
    assert admitted.vectors is not None
    batcher.close()


def test_a_caller_with_nothing_in_a_full_queue_is_next() -> None:
    gate = Gate()
    batcher = MicroBatcher(gate, LIMITS, PADDING)
    for number in range(LIMITS.in_flight_max):
        batcher.submit(Request([[1] * 60], Outcome()))
        gate.wait_for_calls(number + 1)
    batcher.submit(Request([[1] * 60] * 3, Outcome(), caller="a"))
    with pytest.raises(Overloaded, match="180 tokens are queued already"):
        batcher.submit(Request([[1] * 10], Outcome(), caller="a"))
    other = Outcome()
    batcher.submit(Request([[2] * 30], other, caller="b"))
    gate.open.set()
    assert other.done.wait(10)
    assert other.vectors is not None
    batcher.close()


def test_a_queue_with_room_takes_a_request_of_any_size() -> None:
    batcher = MicroBatcher(open_gate(), LIMITS, PADDING)
    outcome = Outcome()
    batcher.submit(Request([[1] * 500], outcome))
    assert outcome.done.wait(10)
    batcher.close()


@pytest.mark.parametrize("reason", ["deadline", "caller"])
def test_what_nobody_waits_for_is_not_computed(reason: str) -> None:
    gate = Gate()
    batcher = MicroBatcher(gate, LaneLimits(BatchLimits(64), 1.0, 1000, in_flight_max=1), PADDING)
    batcher.submit(Request([[1] * 3], Outcome()))
    gate.wait_for_calls(1)
    late = Outcome(abandoned=reason == "caller")
    batcher.submit(Request([[2] * 50], late, time.monotonic() if reason == "deadline" else None))
    gate.open.set()
    assert late.done.wait(10)
    assert isinstance(late.error, Expired)
    batcher.close()
    assert gate.calls == [(1, 3)]


def test_a_failing_encoder_fails_the_requests_of_its_batch_once() -> None:
    def encode(ids: TokenIds, mask: TokenIds) -> Vectors:
        raise EncoderUnavailable("gone")

    batcher = MicroBatcher(encode, LIMITS, PADDING)
    outcome = Outcome()
    batcher.submit(Request([[1] * 60] * 4, outcome))
    batcher.close()
    assert isinstance(outcome.error, EncoderUnavailable)


def is_open(batcher: MicroBatcher) -> bool:
    try:
        batcher.check_room(None, urgent=True)
    except ShuttingDown:
        return False
    return True


def test_close_answers_what_was_admitted_and_refuses_what_is_new() -> None:
    gate = Gate()
    batcher = MicroBatcher(gate, LIMITS, PADDING)
    outcome = Outcome()
    batcher.submit(Request([[1] * 60] * 4, outcome))
    closing = threading.Thread(target=batcher.close)
    closing.start()
    while is_open(batcher):
        pass
    gate.open.set()
    closing.join(10)
    assert outcome.vectors is not None


def test_known_texts_are_not_computed_again_and_probes_are() -> None:
    gate = open_gate()
    cache = VectorCache(bytes_max=10_000)
    batcher = MicroBatcher(gate, LIMITS, PADDING, cache=cache)
    answers = []
    for texts, urgent in (([[1, 2]], False), ([[1, 2], [3], [1, 2]], False), ([[3]], True)):
        outcome = Outcome()
        batcher.submit(Request(texts, outcome, urgent=urgent))
        assert outcome.done.wait(10)
        answers.append(outcome.vectors)
    batcher.close()
    np.testing.assert_array_equal(answers[1], [[3, 2], [3, 1], [3, 2]])
    assert gate.calls == [(1, 2), (1, 1), (1, 1)]
    assert (cache.lookups, cache.hits) == (4, 2)


def test_callers_wait_only_while_the_encoder_is_busy() -> None:
    gate = Gate()
    batcher = MicroBatcher(gate, LIMITS, PADDING)

    def waited_s() -> float:
        start = time.monotonic()
        batcher.wait_for_idle(0.3)
        return time.monotonic() - start

    assert waited_s() < 0.1
    for _ in range(2):
        batcher.submit(Request([[1] * 64], Outcome()))
    gate.wait_for_calls(2)
    assert waited_s() > 0.25
    batcher.submit(Request([[1] * 200], Outcome()))  # now the queue is full, and refusing does not wait
    assert waited_s() < 0.1
    gate.open.set()
    batcher.close()
