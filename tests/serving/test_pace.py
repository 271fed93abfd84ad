import pytest

from retriton_serving.batching.throughput import Pace


def test_the_pace_is_that_of_the_busy_time() -> None:
    pace = Pace()
    assert pace.tokens_per_s == 0
    for start in (0.0, 100.0):  # two busy seconds, a long idle time between
        for step in range(21):
            pace.add(100, start + step * 0.1)
    assert pace.tokens_per_s == pytest.approx(1000)


def test_the_pace_follows_a_change() -> None:
    pace = Pace()
    for step in range(100):
        pace.add(100 if step < 50 else 50, step * 0.1)
    assert pace.tokens_per_s == pytest.approx(500, rel=0.05)
