"""Arguments of `tritonserver` by what they are for."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

# Whoever reaches the ports may embed, and ask what is served; not change it, nor write files, nor map memory.
_ADMIN = "model-repository,shared-memory,trace,logging"
_TRACED_OF = 1  # requests: all those that arrive with a trace of their caller are worth it


@dataclass(frozen=True)
class ServerTls:
    """Encryption of the gRPC endpoint; files in PEM.

    Attributes:
        certificate, key: of the server.
        ca: what its own certificate is checked against by the probe of `retriton serve`.
        name: that the certificate is for.
    """

    certificate: Path
    key: Path
    ca: Path
    name: str = "localhost"

    def __post_init__(self) -> None:
        for file in (self.certificate, self.key, self.ca):
            if not file.is_file():
                raise ValueError(f"there is no file {file}")

    def options(self) -> list[str]:
        """For gRPC. HTTP, which Triton does not encrypt, is kept to the loopback interface by `TritonServer`."""
        return ["--grpc-use-ssl=1", f"--grpc-server-cert={self.certificate}", f"--grpc-server-key={self.key}"]


def restricted() -> list[str]:
    """Admin protocols ask for a header that nobody knows."""
    key = secrets.token_hex(16)
    return [
        "--model-control-mode=none",
        f"--grpc-restricted-protocol={_ADMIN}:retriton-admin={key}",
        f"--http-restricted-api={_ADMIN}:retriton-admin={key}",
    ]


def tracing(url: str) -> list[str]:
    """Spans of every request go to ``url``, an OTLP endpoint over HTTP that ends in /v1/traces."""
    settings = ("mode=opentelemetry", f"rate={_TRACED_OF}", "level=TIMESTAMPS", f"opentelemetry,url={url}")
    return [f"--trace-config={setting}" for setting in settings]


def renewed_connections(age_s: float) -> list[str]:
    """Connections end after a while, so that clients look up which replicas there are."""
    return [f"--grpc-max-connection-age={age_s * 1e3:.0f}", "--grpc-max-connection-age-grace=60000"]
