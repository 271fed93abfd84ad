from __future__ import annotations

import time

import pytest

from retriton_serving.batching.admission import Admission
from retriton_serving.contract.errors import Overloaded


def busy(tokens_per_s: int) -> Admission:
    """An admission that has seen a busy second at this throughput."""
    admission = Admission(waiting_seconds_max=2.0, waiting_tokens_min=100)
    start, period_s = time.monotonic(), 0.05
    while time.monotonic() - start < 0.7:
        admission.record(int(tokens_per_s * period_s))
        time.sleep(period_s)
    return admission


def test_without_a_throughput_the_least_bound_counts() -> None:
    admission = Admission(waiting_seconds_max=2.0, waiting_tokens_min=100)
    assert admission.waiting_tokens_max() == 100
    admission.check(99, deadline_s=time.monotonic())
    with pytest.raises(Overloaded, match="100 tokens are queued already, at most 100 may be") as refused:
        admission.check(100, deadline_s=None)
    assert refused.value.numbers == {"waiting": 100, "waiting_max": 100}


def test_the_bound_follows_throughput_and_deadline() -> None:
    admission = busy(tokens_per_s=1000)
    assert admission.waiting_tokens_max() == pytest.approx(2000, rel=0.3)
    assert admission.waiting_tokens_max(time.monotonic() + 0.5) == pytest.approx(500, rel=0.3)
    with pytest.raises(Overloaded):
        admission.check(1000, time.monotonic() + 0.5)
    admission.check(1000, time.monotonic() + 60.0)
