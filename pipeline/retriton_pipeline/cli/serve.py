"""`retriton serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from retriton_pipeline.cli.backend_options import LLMFields, StoreFields
from retriton_pipeline.cli.gateway_options import PREFIX, GatewayOptions
from retriton_pipeline.cli.option_groups import as_environ, expand, of_dataclass
from retriton_pipeline.cli.progress import steps
from retriton_pipeline.cli.server_options import ModelRepository, ServerEnv
from retriton_serving.contract.variables import QUERY_CACHE_MB
from retriton_serving.launcher import (
    Endpoint,
    LaunchError,
    ServerTls,
    Service,
    TritonInstallation,
    TritonWheel,
    default_repository,
    ensure_server_env,
    installed_encoder,
)

_GATEWAY, _STORE, _LLM = of_dataclass(GatewayOptions), of_dataclass(StoreFields), of_dataclass(LLMFields)


@expand(http=_GATEWAY, store=_STORE, llm=_LLM)
def serve(
    model_repository: ModelRepository = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    grpc_port: Annotated[int, typer.Option(help="Port for gRPC.")] = 8001,
    http_port: Annotated[int, typer.Option(help="Port for Triton's own HTTP interface.")] = 8000,
    metrics_port: Annotated[int, typer.Option(help="Port for Prometheus metrics.")] = 8002,
    server_env: ServerEnv = None,
    tritonserver: Annotated[
        Path | None, typer.Option(help="The binary of a full Triton installation, instead of the server environment.")
    ] = None,
    variant: Annotated[
        str | None,
        typer.Option(
            help="Backend of a full Triton for the encoder: onnxruntime_cpu, onnxruntime_gpu, onnxruntime_tensorrt, "
            "openvino_cpu or tensorrt. Default: the Python backend."
        ),
    ] = None,
    query_cache_mb: Annotated[
        float | None,
        typer.Option(
            envvar=QUERY_CACHE_MB,
            help="Megabytes for the cache of query vectors; 0: no cache. Default: as in the lane's config.pbtxt.",
        ),
    ] = None,
    gateway: Annotated[bool, typer.Option(help="Also serve HTTP; see `retriton gateway`.")] = True,
    gateway_port: Annotated[int, typer.Option(envvar=f"{PREFIX}HTTP_PORT", help="Port of the gateway.")] = 8080,
    next_url: Annotated[
        str,
        typer.Option(
            envvar="RETRITON_NEXT_URL",
            help="host:port of another server, with another encoder, for the gateway; see `retriton switch`.",
        ),
    ] = "",
    grpc_tls_cert: Annotated[Path | None, typer.Option(help="Certificate of the gRPC endpoint, in PEM.")] = None,
    grpc_tls_key: Annotated[Path | None, typer.Option(help="Private key of that certificate.")] = None,
    grpc_tls_ca: Annotated[
        Path | None, typer.Option(help="Authority that the health probe checks the certificate against.")
    ] = None,
    grpc_tls_name: Annotated[str, typer.Option(help="Host name in the certificate.")] = "localhost",
    grpc_tls_client_ca: Annotated[
        Path | None,
        typer.Option(
            help="Admit only clients whose certificate this authority has issued (mutual TLS). "
            "The probe and the gateway use RETRITON_TLS_CERT and RETRITON_TLS_KEY."
        ),
    ] = None,
    max_connection_age: Annotated[
        float,
        typer.Option(help="Seconds after which connections end, so that clients find new replicas. 0: never."),
    ] = 0.0,
    grace: Annotated[float, typer.Option(help="Seconds to finish accepted requests after Ctrl-C or SIGTERM.")] = 30.0,
    *,
    http: GatewayOptions,
    store: StoreFields,
    llm: LLMFields,
) -> None:
    """Serve the model repository with Triton, and HTTP in front of it, until Ctrl-C.

    The server is probed by embedding, and started again when it is dead or hangs. With OTEL_EXPORTER_OTLP_ENDPOINT
    set, requests are traced.
    """
    repository = model_repository or default_repository()
    installed_encoder(repository)  # before a server's environment is created
    if tritonserver:
        triton: TritonInstallation | TritonWheel = TritonInstallation(tritonserver)
    else:
        with steps() as on_step:
            triton = TritonWheel(ensure_server_env(server_env, on_step=on_step))
    Service(
        triton,
        repository,
        Endpoint(host, grpc_port, http_port, metrics_port),
        gateway_port=gateway_port if gateway else None,
        variant=variant,
        tls=_tls(grpc_tls_cert, grpc_tls_key, grpc_tls_ca, grpc_tls_name, grpc_tls_client_ca),
        connection_age_s=max_connection_age,
        environ={} if query_cache_mb is None else {QUERY_CACHE_MB: str(query_cache_mb)},
        gateway_environ={
            **as_environ(_GATEWAY, http),
            **as_environ(_STORE, store),
            **as_environ(_LLM, llm),
            f"{PREFIX}GRACE": str(grace),
            "RETRITON_NEXT_URL": next_url,
        },
    ).run(lambda line: typer.echo(line, err=True), grace)


def _tls(
    certificate: Path | None, key: Path | None, ca: Path | None, name: str, client_ca: Path | None
) -> ServerTls | None:
    if certificate and key and ca:
        return ServerTls(certificate, key, ca, name, client_ca)
    if certificate or key or ca or client_ca:
        raise LaunchError("TLS needs all of --grpc-tls-cert, --grpc-tls-key and --grpc-tls-ca")
    return None
