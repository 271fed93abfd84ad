from __future__ import annotations

import threading

import pytest

from retriton_serving.batching.batch_queue import BatchQueue
from retriton_serving.batching.compute_slots import ComputeSlots
from retriton_serving.batching.length_sorted_queue import BatchLimits
from retriton_serving.batching.request import QueuedText, Request
from retriton_serving.contract.errors import ShuttingDown
from tests.serving.outcome import Outcome


def texts(*lengths: int) -> list[QueuedText]:
    ids = [[1] * length for length in lengths]
    request = Request(ids, Outcome())
    return [QueuedText(request, place, text) for place, text in enumerate(ids)]


def test_a_thread_that_waits_gets_the_next_batch() -> None:
    queue = BatchQueue(BatchLimits(tokens_max=8))
    taken: list[list[QueuedText] | None] = []
    waiting = threading.Thread(target=lambda: taken.append(queue.take()))
    waiting.start()
    queue.put(texts(3, 3))
    waiting.join(10)
    assert [len(batch) for batch in taken if batch] == [2]
    assert queue.tokens == 0


def test_a_closed_queue_gives_what_it_has_and_then_none() -> None:
    queue = BatchQueue(BatchLimits(tokens_max=8))
    queue.put(texts(8, 8))
    queue.close()
    with pytest.raises(ShuttingDown):
        queue.put(texts(1))
    assert [len(queue.take() or ()) for _ in range(3)] == [1, 1, 0]
    assert queue.take() is None


def test_urgent_texts_precede_all_others() -> None:
    queue = BatchQueue(BatchLimits(tokens_max=8))
    queue.put(texts(8, 8))
    queue.put(texts(2), urgent=True)
    assert [len(text.ids) for text in queue.take() or ()] == [2]


def test_slots_are_bounded_and_idle_ones_are_seen() -> None:
    slots = ComputeSlots(1)
    entered, leave = threading.Event(), threading.Event()

    def compute() -> None:
        with slots.free, slots.busy:
            entered.set()
            assert leave.wait(10)

    thread = threading.Thread(target=compute)
    thread.start()
    assert entered.wait(10)
    blocked = threading.Thread(target=slots.wait_for_idle, args=(10.0,))
    blocked.start()
    blocked.join(0.1)
    assert blocked.is_alive()
    leave.set()
    blocked.join(10)
    thread.join(10)
    assert not blocked.is_alive()
