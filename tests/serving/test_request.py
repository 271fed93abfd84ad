"""A request is answered exactly once, whoever completes or fails it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from retriton_serving.batching.request import Request, Vectors
from retriton_serving.contract.errors import EncoderUnavailable, Expired
from tests.serving.outcome import Outcome


def vector(number: int) -> Vectors:
    return np.array([number], np.float32)


def test_the_last_vector_sends_the_reply_in_the_order_of_the_texts() -> None:
    outcome = Outcome()
    request = Request([[1], [2], [3]], outcome)
    for place in (2, 0, 1):
        assert not request.is_answered
        request.put(place, vector(place))
    assert outcome.vectors is not None
    assert outcome.vectors.tolist() == [[0], [1], [2]]


def test_a_failed_request_stays_failed() -> None:
    outcome = Outcome()
    request = Request([[1], [2]], outcome)
    request.put(0, vector(0))
    request.fail(EncoderUnavailable("gone"))
    request.put(1, vector(1))
    request.fail(Expired("late"))
    assert isinstance(outcome.error, EncoderUnavailable)
    assert outcome.vectors is None


def test_threads_that_complete_and_fail_it_at_once_send_one_reply() -> None:
    for _ in range(100):
        outcome, start = Outcome(), threading.Barrier(3)
        request = Request([[1], [2]], outcome)

        def run(action: Callable[[], None], start: threading.Barrier = start) -> None:
            start.wait()
            action()  # a second reply raises in the thread, which fails the test

        actions = [
            lambda request=request: request.put(0, vector(0)),
            lambda request=request: request.put(1, vector(1)),
            lambda request=request: request.fail(Expired("late")),
        ]
        threads = [threading.Thread(target=run, args=(action,)) for action in actions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (outcome.error is None) != (outcome.vectors is None)
