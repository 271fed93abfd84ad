"""A lane's metrics on Triton's Prometheus page.

Telling Triton a number is a message between processes; so they are summed here, and told once a second.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import triton_python_backend_utils as pb_utils

from retriton_serving.batcher import BatchRecord

_PERIOD_S = 1.0
_COUNTERS = {
    "retriton_requests_total": "Requests by outcome: OK, or the code of the error.",
    "retriton_request_seconds_total": "Seconds from arrival to answer of the requests with outcome OK.",
    "retriton_tokenize_seconds_total": "Seconds spent on reading and tokenizing texts.",
    "retriton_encode_seconds_total": "Seconds that micro-batches spent at the encoder, its own queue included.",
    "retriton_micro_batches_total": "Micro-batches computed.",
    "retriton_texts_total": "Texts computed.",
    "retriton_tokens_total": "Tokens computed, padding left out.",
    "retriton_padded_tokens_total": "Tokens computed, padding included; the padding share is 1 - tokens / this.",
}


class LaneMetrics:
    """Counters of one lane, and a gauge of what waits.

    Args:
        lane: the model's name, a label of every metric.
        waiting_tokens: asked once a second.
    """

    def __init__(self, lane: str, waiting_tokens: Callable[[], int]) -> None:
        self._lane = lane
        self._lock = threading.Lock()
        self._sums: Counter[tuple[str, str]] = Counter()
        kind = pb_utils.MetricFamily
        self._families = {name: kind(name, description, kind.COUNTER) for name, description in _COUNTERS.items()}
        self._counters: dict[tuple[str, str], Any] = {}
        self._waiting_family = kind("retriton_waiting_tokens", "Tokens that wait for the encoder now.", kind.GAUGE)
        self._waiting = self._waiting_family.Metric(labels={"lane": lane})
        self._waiting_tokens = waiting_tokens
        self._stopped = threading.Event()
        self._teller = threading.Thread(target=self._tell_periodically, daemon=True)
        self._teller.start()

    def add(self, name: str, amount: float, outcome: str = "") -> None:
        """Adds to the counter ``retriton_<name>_total``."""
        with self._lock:
            self._sums[f"retriton_{name}_total", outcome] += amount  # type: ignore[assignment]

    def record(self, batch: BatchRecord) -> None:
        """Counts a micro-batch."""
        self.add("micro_batches", 1)
        self.add("encode_seconds", batch.encode_s)
        self.add("texts", batch.texts)
        self.add("tokens", batch.tokens)
        self.add("padded_tokens", batch.padded_tokens)

    def close(self) -> None:
        """Tells what is not told yet."""
        self._stopped.set()
        self._teller.join()

    def _tell_periodically(self) -> None:
        while not self._stopped.wait(_PERIOD_S):
            self._tell()
        self._tell()

    def _tell(self) -> None:
        with self._lock:
            sums, self._sums = self._sums, Counter()
        for key, amount in sums.items():
            if key not in self._counters:
                name, outcome = key
                labels = {"lane": self._lane, **({"outcome": outcome} if outcome else {})}
                self._counters[key] = self._families[name].Metric(labels=labels)
            self._counters[key].increment(amount)
        self._waiting.set(self._waiting_tokens())
