"""A lane's metrics on Triton's Prometheus page.

Reporting a number to Triton is a message between processes, so sums are kept here and reported once a second. A
histogram is reported as counters with Prometheus' names and labels, because Triton's own takes single observations.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Any

import triton_python_backend_utils as pb_utils

from retriton_serving.batching.dispatcher import ComputedBatch

_PERIOD_S = 1.0
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_COUNTERS = {
    "requests_total": "Requests by outcome: OK, or the code of the error.",
    "texts_total": "Texts computed.",
    "tokens_total": "Tokens computed, padding left out.",
    "padded_tokens_total": "Tokens computed, padding included; the padding share is 1 - tokens / this.",
    "invalid_results_total": "Texts with a vector or score that is not finite, or not as the manifest says.",
    "cache_lookups_total": "Texts that were looked up in the cache.",
    "cache_hits_total": "Texts that were found there.",
}
_HISTOGRAMS: dict[str, tuple[str, tuple[float, ...]]] = {
    "request_seconds": ("From the lane's receipt of a request to its response, of requests with outcome OK.", _SECONDS),
    "tokenize_seconds": ("Reading and tokenizing the texts of one round.", _SECONDS),
    "queue_seconds": ("From admission to the encoder, of the oldest text of each micro-batch.", _SECONDS),
    "encode_seconds": ("A micro-batch at the encoder, its queue there included.", _SECONDS),
    "batch_tokens": ("Tokens of a micro-batch, padding included.", (16, 32, 64, 128, 256, 512, 1024, 2048, 4096)),
    "batch_texts": ("Texts of a micro-batch.", (1, 2, 4, 8, 16, 32, 64, 128, 256)),
}


class LaneMetrics:
    """Counters, histograms and gauges of one lane.

    Args:
        lane: the model's name, a label of every metric.
    """

    def __init__(self, lane: str) -> None:
        self._lane = lane
        self._lock = threading.Lock()
        self._sums: Counter[tuple[str, str, str]] = Counter()  # by metric, name of its other label, value of that
        self._observed: dict[str, list[float]] = defaultdict(list)
        self._gauges: Mapping[str, Callable[[], float]] = {}
        self._totals: Mapping[str, Callable[[], float]] = {}
        self._reported: Counter[str] = Counter()
        self._families: dict[str, Any] = {}
        self._metrics: dict[tuple[str, str, str], Any] = {}
        self._stopped = threading.Event()
        self._reporter = threading.Thread(target=self._report_periodically, daemon=True)

    def start(self, gauges: Mapping[str, Callable[[], float]], totals: Mapping[str, Callable[[], float]]) -> None:
        """Declares the metrics, and reports them once a second from now on.

        Args:
            gauges: by name, functions that return the present value.
            totals: by name of a counter, functions that return its total.
        """
        self._gauges = gauges
        self._totals = totals
        self._families = self._declare()
        self._reporter.start()

    def add(self, name: str, amount: float, outcome: str = "") -> None:
        """Adds to the counter ``retriton_<name>``."""
        with self._lock:
            self._sums[name, "outcome" if outcome else "", outcome] += amount  # type: ignore[assignment]

    def observe(self, name: str, value: float) -> None:
        """Adds an observation to the histogram ``retriton_<name>``."""
        with self._lock:
            self._observed[name].append(value)

    def answered(self, seconds: float) -> None:
        """Counts a request with the outcome OK, and its time from receipt to response."""
        with self._lock:
            self._sums["requests_total", "outcome", "OK"] += 1
            self._observed["request_seconds"].append(seconds)

    def record(self, batch: ComputedBatch) -> None:
        """Counts a micro-batch."""
        with self._lock:
            for name, value in (
                ("encode_seconds", batch.encode_s),
                ("queue_seconds", batch.queue_s),
                ("batch_tokens", batch.padded_tokens),
                ("batch_texts", len(batch.texts)),
            ):
                self._observed[name].append(value)
            for name, value in (
                ("texts", len(batch.texts)),
                ("tokens", batch.tokens),
                ("padded_tokens", batch.padded_tokens),
                ("invalid_results", batch.invalid),
            ):
                self._sums[f"{name}_total", "", ""] += value

    def close(self) -> None:
        """Reports what is not reported yet."""
        self._stopped.set()
        self._reporter.join()

    def _declare(self) -> dict[str, Any]:
        family = pb_utils.MetricFamily
        counters = dict(_COUNTERS)
        for name, (description, _) in _HISTOGRAMS.items():
            counters |= {f"{name}_{part}": description for part in ("bucket", "sum", "count")}
        families = {name: family(f"retriton_{name}", text, family.COUNTER) for name, text in counters.items()}
        return families | {name: family(f"retriton_{name}", "Now.", family.GAUGE) for name in self._gauges}

    def _report_periodically(self) -> None:
        while not self._stopped.wait(_PERIOD_S):
            self._report()
        self._report()

    def _report(self) -> None:
        with self._lock:
            sums, self._sums = self._sums, Counter()
            observed, self._observed = self._observed, defaultdict(list)
        for name, ask in self._totals.items():
            so_far = ask()
            sums[name, "", ""] += so_far - self._reported[name]  # type: ignore[assignment]
            self._reported[name] = so_far  # type: ignore[assignment]
        for name, values in observed.items():
            sums.update(_as_histogram(name, values))
        for key, amount in sums.items():
            self._metric(key).increment(amount)
        for name, ask in self._gauges.items():  # the processes of a lane share the gauge, so each adds its difference
            now = ask()
            self._metric((name, "", "")).increment(now - self._reported[name])
            self._reported[name] = now  # type: ignore[assignment]

    def _metric(self, key: tuple[str, str, str]) -> Any:
        if key not in self._metrics:
            name, label, value = key
            labels = {"lane": self._lane, **({label: value} if label else {})}
            self._metrics[key] = self._families[name].Metric(labels=labels)
        return self._metrics[key]


def _as_histogram(name: str, values: list[float]) -> dict[tuple[str, str, str], float]:
    """The increments of a histogram's series."""
    bounds = _HISTOGRAMS[name][1]
    counts = [0] * (len(bounds) + 1)
    for value in values:
        counts[bisect_left(bounds, value)] += 1
    labels = [*(f"{bound:g}" for bound in bounds), "+Inf"]
    buckets = {(f"{name}_bucket", "le", le): count for le, count in zip(labels, accumulate(counts), strict=True)}
    return {**buckets, (f"{name}_sum", "", ""): sum(values), (f"{name}_count", "", ""): len(values)}
