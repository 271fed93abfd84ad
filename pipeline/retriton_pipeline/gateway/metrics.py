"""What the gateway counts, for Prometheus."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class GatewayMetrics:
    """All metrics of one gateway; every name begins with ``retriton_gateway_``."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = self._counter("requests", "Requests by route and status.", "route", "status")
        self.request_seconds = Histogram(
            "retriton_gateway_request_seconds",
            "From arrival to the end of the answer.",
            ["route"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.stage_seconds = Histogram(
            "retriton_gateway_stage_seconds",
            "Stages of retrieval and answers: rewrite, embed, search, rerank, assemble, first_piece, answer.",
            ["stage"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.rejected = self._counter(
            "rejected", "Refused: overloaded, too_large, unauthorized, deadline, or disconnected.", "reason"
        )
        self.in_flight = self._gauge("in_flight", "Requests under way.")
        self.pending_results = self._gauge("pending_results", "Answers that wait to be fetched.")
        self.pending_bytes = self._gauge("pending_bytes", "Their bytes.")
        self.ingest_jobs = self._gauge("ingest_jobs", "Uploads by state.", "state")
        self.ingest_documents = self._counter("ingest_documents", "Documents read from uploads.")
        self.ingest_chunks = self._counter("ingest_chunks", "Chunks embedded from uploads.")

    def stages(self, milliseconds: Mapping[str, float]) -> None:
        """Observes the stages of one request; ``total`` is in `request_seconds`."""
        for stage, spent in milliseconds.items():
            if stage != "total":
                self.stage_seconds.labels(stage).observe(spent / 1e3)

    def page(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self._registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"retriton_gateway_{name}", text, labels, registry=self._registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"retriton_gateway_{name}", text, labels, registry=self._registry)
