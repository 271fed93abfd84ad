"""`retriton serve`."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from retriton_client import Tls
from retriton_pipeline.cli.options import DEFAULT_REPOSITORY, DEFAULT_SERVER_ENV, ModelRepository, ServerEnv
from retriton_serving.contract.manifest import Manifest
from retriton_serving.launcher import Endpoint, LaunchError, TritonInstallation, TritonServer, TritonWheel
from retriton_serving.launcher.gateway_process import GatewayProcess
from retriton_serving.launcher.options import ServerTls, renewed_connections, tracing
from retriton_serving.launcher.supervisor import Supervisor


def serve(
    model_repository: ModelRepository = DEFAULT_REPOSITORY,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    grpc_port: Annotated[int, typer.Option(help="Port for gRPC.")] = 8001,
    http_port: Annotated[int, typer.Option(help="Port for HTTP.")] = 8000,
    metrics_port: Annotated[int, typer.Option(help="Port for Prometheus metrics.")] = 8002,
    server_env: ServerEnv = DEFAULT_SERVER_ENV,
    tritonserver: Annotated[Path | None, typer.Option(help="A full Triton's binary, instead of the wheel's.")] = None,
    variant: Annotated[
        str | None,
        typer.Option(
            help="A full Triton's own backend for the encoder: onnxruntime_cpu, onnxruntime_gpu, onnxruntime_tensorrt, "
            "openvino_cpu or tensorrt. Default: the Python backend."
        ),
    ] = None,
    query_cache_mb: Annotated[
        float | None,
        typer.Option(
            envvar="RETRITON_QUERY_CACHE_MB",
            help="Keep vectors of queries in so many megabytes; 0 keeps none. Default: as in the lane's config.pbtxt.",
        ),
    ] = None,
    gateway: Annotated[bool, typer.Option(help="Serve HTTP, too: see `retriton gateway` and its variables.")] = True,
    gateway_port: Annotated[int, typer.Option(help="Port of the gateway.")] = 8080,
    grpc_tls_cert: Annotated[Path | None, typer.Option(help="Certificate of the gRPC endpoint, in PEM.")] = None,
    grpc_tls_key: Annotated[Path | None, typer.Option(help="Its key.")] = None,
    grpc_tls_ca: Annotated[Path | None, typer.Option(help="What it is checked against by our own probe.")] = None,
    grpc_tls_name: Annotated[str, typer.Option(help="The host that it is for.")] = "localhost",
    max_connection_age: Annotated[
        float,
        typer.Option(help="Seconds after which clients connect anew, and so find new replicas. 0: never."),
    ] = 0.0,
    grace: Annotated[float, typer.Option(help="Seconds to finish what was accepted, after Ctrl-C or SIGTERM.")] = 30.0,
) -> None:
    """Serve the model repository with Triton, and HTTP in front of it, until Ctrl-C.

    The server is probed by embedding; when it is dead or hangs, it is started again. With OTEL_EXPORTER_OTLP_ENDPOINT
    set, requests are traced.
    """
    encoder = read_encoder(model_repository).encoder
    triton = TritonInstallation(tritonserver) if tritonserver else TritonWheel(server_env)
    endpoint = Endpoint(host, grpc_port, http_port, metrics_port)
    if query_cache_mb is not None:
        os.environ["RETRITON_QUERY_CACHE_MB"] = str(query_cache_mb)  # read by the lane
    signal.signal(signal.SIGTERM, _interrupt)
    tls = _tls(grpc_tls_cert, grpc_tls_key, grpc_tls_ca, grpc_tls_name)
    more = [
        *(tracing(url) if (url := _traces_url()) else []),
        *(renewed_connections(max_connection_age) if max_connection_age else []),
    ]
    beside = _gateway(host, gateway_port, endpoint, tls) if gateway else None

    def on_ready(server: TritonServer) -> None:
        if beside:
            beside.keep()
        http = f" and http://{beside.address} (HTTP)" if beside else ""
        typer.echo(f"serving {encoder.name} on {endpoint.grpc_url} (gRPC){http} until Ctrl-C", err=True)

    supervisor = Supervisor(
        start=lambda: TritonServer(triton, model_repository, endpoint, variant=variant, tls=tls, options=tuple(more)),
        on_ready=on_ready,
        beside=beside.keep if beside else lambda: None,
        tls=Tls(tls.ca, server_name=tls.name) if tls else None,
    )
    try:
        supervisor.run()
    except KeyboardInterrupt:
        typer.echo("stopping", err=True)
    finally:
        if beside:
            beside.stop(grace)
        if supervisor.server:
            supervisor.server.stop(grace)


def _traces_url() -> str:
    """Where traces go over HTTP, as OpenTelemetry's variables say it."""
    base = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "")
    return os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or (f"{base.rstrip('/')}/v1/traces" if base else "")


def _gateway(host: str, port: int, endpoint: Endpoint, tls: ServerTls | None) -> GatewayProcess:
    near = "127.0.0.1" if endpoint.host == "0.0.0.0" else endpoint.host  # noqa: S104 - compared, not bound
    environ = {"RETRITON_TLS_CA": str(tls.ca), "RETRITON_TLS_NAME": tls.name} if tls else {}
    return GatewayProcess(host, port, ["--url", f"{near}:{endpoint.grpc_port}"], environ)


def _tls(certificate: Path | None, key: Path | None, ca: Path | None, name: str) -> ServerTls | None:
    if not (certificate or key or ca):
        return None
    if not (certificate and key and ca):
        raise LaunchError("TLS needs all of --grpc-tls-cert, --grpc-tls-key and --grpc-tls-ca")
    try:
        return ServerTls(certificate, key, ca, name)
    except ValueError as error:
        raise LaunchError(str(error)) from None


def read_encoder(model_repository: Path) -> Manifest:
    """The manifest of what is installed, or an error that says how to install something."""
    try:
        return Manifest.read(model_repository / "encoder" / "1")
    except (FileNotFoundError, ValueError) as error:
        raise LaunchError(str(error)) from error


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
