from __future__ import annotations

import pytest

from retriton_serving.batching.admission import Admission
from retriton_serving.contract.errors import Overloaded


class Clock:
    """Seconds that only the test advances."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def admission(clock: Clock) -> Admission:
    return Admission(waiting_seconds_max=2.0, waiting_tokens_min=100, clock=clock)


def test_without_a_throughput_the_least_bound_counts(admission: Admission, clock: Clock) -> None:
    assert admission.waiting_tokens_max() == 100
    admission.check(99, deadline_s=clock.now_s)
    with pytest.raises(Overloaded, match="100 tokens are queued already, at most 100 may be") as refused:
        admission.check(100, deadline_s=None)
    assert refused.value.numbers == {"waiting": 100, "waiting_max": 100}


def test_the_bound_follows_throughput_and_deadline(admission: Admission, clock: Clock) -> None:
    for _ in range(41):  # two busy seconds
        admission.record(50)
        clock.now_s += 0.05
    assert admission.waiting_tokens_max() == pytest.approx(2000, rel=0.01)
    assert admission.waiting_tokens_max(clock.now_s + 0.5) == pytest.approx(500, rel=0.01)
    with pytest.raises(Overloaded):
        admission.check(1000, clock.now_s + 0.5)
    admission.check(1000, clock.now_s + 60.0)
