"""Traces by OpenTelemetry, where an endpoint is configured: of requests, and of what they ask Triton and Milvus."""

from __future__ import annotations

import os

from starlette.types import ASGIApp

from retriton_pipeline.errors import PipelineError

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_QUIET = "v1/health,v1/metrics,static"


def is_traced() -> bool:
    """Whether the environment names an endpoint, as OpenTelemetry defines it."""
    return any(os.environ.get(name) for name in _ENDPOINTS)


def start_tracing() -> None:
    """Sends spans from here on, and the trace's id along with every gRPC call; nothing without an endpoint.

    Raises:
        PipelineError: an endpoint is named, and OpenTelemetry is not installed.
    """
    if not is_traced():
        return
    try:
        _instrument()
    except ModuleNotFoundError as error:
        raise PipelineError(f"traces need `pip install 'retriton[otel]'` ({error})") from error


def _instrument() -> None:
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.grpc import GrpcAioInstrumentorClient, GrpcInstrumentorClient
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    name = os.environ.get("OTEL_SERVICE_NAME", "retriton-gateway")
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    GrpcAioInstrumentorClient().instrument()
    GrpcInstrumentorClient().instrument()


def traced(app: ASGIApp) -> ASGIApp:
    """``app`` with a span for every request, where there is an endpoint."""
    if not is_traced():
        return app
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

    around: ASGIApp = OpenTelemetryMiddleware(app, excluded_urls=_QUIET)
    return around
