"""The soak test's verdict: what grows is found, what is noisy or shrinks is flat."""

from __future__ import annotations

import random

import pytest
from bench.soak.sampling import Samples
from bench.soak.slope import flatness

TIMES = [5.0 * n for n in range(60)]


def noisy(slope: float) -> list[float]:
    draw = random.Random(3)
    return [100 + slope * time + draw.uniform(-5, 5) for time in TIMES]


def test_noise_is_flat_and_a_leak_is_not() -> None:
    assert flatness(TIMES, noisy(0.0), 0.05, 4).is_flat
    assert flatness(TIMES, noisy(-0.5), 0.05, 4).is_flat
    leak = flatness(TIMES, noisy(0.1), 0.05, 4)
    assert not leak.is_flat
    assert leak.growth == pytest.approx(0.1 * (TIMES[-1] - TIMES[15]), rel=0.2)


def test_the_warm_up_and_single_peaks_do_not_count() -> None:
    samples = [min(100.0, 20 + 10 * n) for n in range(60)]  # constant after 8 of 60 samples
    samples[40] = samples[59] = 500.0
    assert flatness(TIMES, samples, 0.05, 1).growth == 0


def test_the_floor_allows_small_amounts_to_grow() -> None:
    samples = [1 + time / 300 for time in TIMES]
    assert not flatness(TIMES, samples, 0.05, 0).is_flat
    assert flatness(TIMES, samples, 0.05, 2).is_flat


def test_too_few_samples_are_not_judged() -> None:
    with pytest.raises(ValueError, match="2 samples"):
        flatness([0, 1, 2], [1, 1, 1], 0.05, 1)


def test_a_process_is_judged_over_the_samples_in_which_it_runs() -> None:
    samples = Samples()
    for n in range(40):
        leaking = {"rss_encoder": 100.0 + 5 * n} if n % 10 else {}  # it was killed at every tenth sample
        samples.add(5.0 * n, {"rss_gateway": 100.0, "milvus_mib": 10.0 * n, **leaking})
    verdicts = {name: verdict.is_flat for name, verdict in samples.judged().items()}
    assert verdicts == {"rss_gateway": True, "rss_encoder": False}
    assert samples.at(1.0)["rss_encoder"] == 295.0
