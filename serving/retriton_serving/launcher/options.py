"""Arguments of `tritonserver`, by purpose."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from retriton_client import Tls
from retriton_serving.launcher.errors import LaunchError

# Anyone who can reach the ports may embed and read what is served, but not change it, write files, or map memory.
_ADMIN = "model-repository,shared-memory,trace,logging"
_NO_HEADER = "closed\n"
_TRACE_RATE = 1  # every request is traced


@dataclass(frozen=True)
class ServerTls:
    """Encryption of the gRPC endpoint; files in PEM.

    Attributes:
        certificate, key: of the server.
        ca: authority that the probe of `retriton serve` checks the certificate against.
        name: host that the certificate is for.
        client_ca: authority of the clients' certificates (mutual TLS); None admits every client.

    Raises:
        LaunchError: a file is missing.
    """

    certificate: Path
    key: Path
    ca: Path
    name: str = "localhost"
    client_ca: Path | None = None

    def __post_init__(self) -> None:
        for file in (self.certificate, self.key, self.ca, self.client_ca):
            if file and not file.is_file():
                raise LaunchError(f"there is no file {file}")

    def options(self) -> list[str]:
        """Arguments for gRPC. Triton does not encrypt HTTP, which `TritonServer` keeps to the loopback interface."""
        mutual = ["--grpc-use-ssl-mutual=1", f"--grpc-root-cert={self.client_ca}"] if self.client_ca else []
        return ["--grpc-use-ssl=1", f"--grpc-server-cert={self.certificate}", f"--grpc-server-key={self.key}", *mutual]

    def for_clients(self) -> Tls:
        """How this machine's own clients, the probe and the gateway, connect.

        Their certificate is that of ``RETRITON_TLS_CERT`` and ``RETRITON_TLS_KEY``.

        Raises:
            LaunchError: clients need a certificate, and there is none.
        """
        own = Tls.from_environment() or Tls()
        if self.client_ca and not own.certificate:
            raise LaunchError(
                "the server admits only clients with a certificate, and its own probe has none: "
                f"set RETRITON_TLS_CERT and RETRITON_TLS_KEY to one that {self.client_ca} has issued"
            )
        return replace(own, ca=self.ca, server_name=self.name)


def restricted() -> list[str]:
    """Closes the admin protocols for everyone: they require a header that no request can carry.

    Arguments are visible to every user of the machine, so a secret would be none. Instead, the name and the value of
    the header have a line feed, which ends a header of HTTP/1.1 and which gRPC refuses in the name of one.
    """
    return [
        "--model-control-mode=none",
        f"--grpc-restricted-protocol={_ADMIN}:{_NO_HEADER}={_NO_HEADER}",
        f"--http-restricted-api={_ADMIN}:{_NO_HEADER}={_NO_HEADER}",
    ]


def traces_url() -> str:
    """Where OpenTelemetry's variables send traces over HTTP; empty where they are not set."""
    base = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "")
    return os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or (f"{base.rstrip('/')}/v1/traces" if base else "")


def tracing(url: str) -> list[str]:
    """Sends spans of every request to ``url``, an OTLP endpoint over HTTP that ends in /v1/traces."""
    settings = ("mode=opentelemetry", f"rate={_TRACE_RATE}", "level=TIMESTAMPS", f"opentelemetry,url={url}")
    return [f"--trace-config={setting}" for setting in settings]


def renewed_connections(age_s: float) -> list[str]:
    """Ends connections after ``age_s``, so that clients resolve the replicas again."""
    return [f"--grpc-max-connection-age={age_s * 1e3:.0f}", "--grpc-max-connection-age-grace=60000"]
