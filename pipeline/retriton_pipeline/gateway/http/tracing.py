"""OpenTelemetry traces of requests, and of their calls to Triton and Milvus, if an endpoint is configured."""

from __future__ import annotations

import os

from starlette.types import ASGIApp

from retriton_pipeline.errors import PipelineError

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_UNTRACED = "v1/health,v1/metrics,static"


def is_traced() -> bool:
    """Whether OpenTelemetry's environment variables name an endpoint."""
    return any(os.environ.get(name) for name in _ENDPOINTS)


def start_tracing() -> None:
    """Starts to export spans, and to propagate the trace with every gRPC call. Without an endpoint, does nothing.

    Raises:
        PipelineError: there is an endpoint, and OpenTelemetry is not installed.
    """
    if not is_traced():
        return
    try:
        _instrument()
    except ModuleNotFoundError as error:
        raise PipelineError(f"tracing needs `pip install 'retriton[otel]'` ({error})") from error


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
    """``app`` with a span for every request, if an endpoint is configured."""
    if not is_traced():
        return app
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

    wrapped: ASGIApp = OpenTelemetryMiddleware(app, excluded_urls=_UNTRACED)
    return wrapped
