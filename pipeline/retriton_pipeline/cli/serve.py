"""`retriton serve`."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from retriton_pipeline.cli.options import DEFAULT_REPOSITORY, DEFAULT_SERVER_ENV, ModelRepository, ServerEnv
from retriton_pipeline.cli.supervise import Supervisor
from retriton_serving.launch import Endpoint, LaunchError, TritonInstallation, TritonServer, TritonWheel
from retriton_serving.manifest import Manifest


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
    grace: Annotated[float, typer.Option(help="Seconds to finish what was accepted, after Ctrl-C or SIGTERM.")] = 30.0,
) -> None:
    """Serve the model repository with Triton until Ctrl-C.

    The server is probed by embedding; when it is dead or hangs, it is started again.
    """
    encoder = read_encoder(model_repository).encoder
    triton = TritonInstallation(tritonserver) if tritonserver else TritonWheel(server_env)
    endpoint = Endpoint(host, grpc_port, http_port, metrics_port)
    if query_cache_mb is not None:
        os.environ["RETRITON_QUERY_CACHE_MB"] = str(query_cache_mb)  # read by the lane
    signal.signal(signal.SIGTERM, _interrupt)
    supervisor = Supervisor(
        start=lambda: TritonServer(triton, model_repository, endpoint, variant=variant),
        on_ready=lambda server: typer.echo(
            f"serving {encoder.name} on {endpoint.grpc_url} (gRPC) until Ctrl-C", err=True
        ),
    )
    try:
        supervisor.run()
    except KeyboardInterrupt:
        typer.echo("stopping", err=True)
    finally:
        if supervisor.server:
            supervisor.server.stop(grace)


def read_encoder(model_repository: Path) -> Manifest:
    """The manifest of what is installed, or an error that says how to install something."""
    try:
        return Manifest.read(model_repository / "encoder" / "1")
    except (FileNotFoundError, ValueError) as error:
        raise LaunchError(str(error)) from error


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
