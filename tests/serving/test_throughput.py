import pytest

from retriton_serving.batching.throughput import ThroughputEstimate


def test_the_pace_is_that_of_the_busy_time() -> None:
    estimate = ThroughputEstimate()
    assert estimate.tokens_per_s == 0
    for start in (0.0, 100.0):  # two busy seconds, a long idle time between
        for step in range(21):
            estimate.add(100, start + step * 0.1)
    assert estimate.tokens_per_s == pytest.approx(1000)


def test_the_pace_follows_a_change() -> None:
    estimate = ThroughputEstimate()
    for step in range(100):
        estimate.add(100 if step < 50 else 50, step * 0.1)
    assert estimate.tokens_per_s == pytest.approx(500, rel=0.05)
