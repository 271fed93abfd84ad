"""Prometheus metrics of the gateway."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_REASONS = {403: "unauthorized", 401: "unauthorized", 413: "too_large", 429: "overloaded", 504: "deadline"}


class GatewayMetrics:
    """All metrics of one gateway; every name begins with ``retriton_gateway_``."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = self._counter("requests", "Requests by route and status.", "route", "status")
        self.request_seconds = self._histogram("request_seconds", "Seconds until the response is complete.", "route")
        self.stage_seconds = self._histogram(
            "stage_seconds",
            "Stages of retrieval and answers: rewrite, embed, search, rerank, assemble, first_piece, answer.",
            "stage",
        )
        self.rejected = self._counter(
            "rejected", "Rejected: overloaded, too_large, unauthorized, deadline, malformed; or disconnected.", "reason"
        )
        self.in_flight = self._gauge("in_flight", "Requests in progress.")
        self.pending_results = self._gauge("pending_results", "Results that were not fetched yet.")
        self.pending_bytes = self._gauge("pending_bytes", "Bytes of these results.")
        self.ingest_jobs = self._gauge("ingest_jobs", "Upload jobs by state.", "state")
        self.ingest_documents = self._counter("ingest_documents", "Documents read from uploads.")
        self.ingest_chunks = self._counter("ingest_chunks", "Chunks embedded from uploads.")

    def reject(self, status: int) -> None:
        """Counts a request that the middleware rejects with ``status``."""
        self.rejected.labels(_REASONS.get(status, "malformed")).inc()

    def observe_stages(self, latency_ms: Mapping[str, float]) -> None:
        """Observes the stages of one request; ``total`` is part of `request_seconds`."""
        for stage, milliseconds in latency_ms.items():
            if stage != "total":
                self.stage_seconds.labels(stage).observe(milliseconds / 1e3)

    def page(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"retriton_gateway_{name}", text, labels, registry=self._registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"retriton_gateway_{name}", text, labels, registry=self._registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(f"retriton_gateway_{name}", text, labels, buckets=_SECONDS, registry=self._registry)
