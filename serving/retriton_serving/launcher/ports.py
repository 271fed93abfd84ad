"""Addresses and ports that a server listens on."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass

from retriton_serving.launcher.errors import LaunchError

_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound


@dataclass(frozen=True)
class Endpoint:
    """Where a Triton server listens.

    Attributes:
        host: address for gRPC and metrics.
        grpc_port, http_port, metrics_port: its ports.
        http_host: address for HTTP; empty means ``host``.
    """

    host: str = "127.0.0.1"
    grpc_port: int = 8001
    http_port: int = 8000
    metrics_port: int = 8002
    http_host: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "http_host", self.http_host or self.host)

    @classmethod
    def free(cls) -> Endpoint:
        """Three unused ports of the loopback interface."""
        grpc_port, http_port, metrics_port = free_ports(3)
        return cls("127.0.0.1", grpc_port, http_port, metrics_port)

    @property
    def grpc_url(self) -> str:
        """``host:port`` for gRPC clients."""
        return address(self.host, self.grpc_port)

    @property
    def local_grpc_url(self) -> str:
        """``host:port`` for gRPC clients on this machine, also where ``host`` means every interface."""
        return address(_LOOPBACK.get(self.host, self.host), self.grpc_port)

    @property
    def ready_url(self) -> str:
        """URL of Triton's readiness check."""
        return f"http://{address(self.http_host, self.http_port)}/v2/health/ready"

    def check_free(self) -> None:
        """Raises `LaunchError` when one of the ports is taken."""
        hosts = {"grpc_port": self.host, "http_port": self.http_host, "metrics_port": self.host}
        for name, host in hosts.items():
            option = "--" + name.replace("_", "-")
            check_port_free(host, getattr(self, name), f"or choose another with {option}.")


def address(host: str, port: int) -> str:
    """``host:port``, as in URLs: an IPv6 address is in brackets."""
    return f"{bracketed(host)}:{port}"


def bracketed(host: str) -> str:
    """``host``; an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def free_ports(count: int) -> list[int]:
    """Unused ports of the loopback interface."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def check_port_free(host: str, port: int, alternative: str) -> None:
    """Raises `LaunchError` when the port is taken; the message ends with ``alternative``."""
    try:
        family, kind, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as error:
        raise LaunchError(
            f"cannot listen on {address(host, port)}: {error.strerror}. Stop what uses that port, {alternative}"
        ) from None
