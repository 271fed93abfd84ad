"""Triton with the gateway beside it, as `retriton serve` runs them."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import NoReturn

from retriton_serving.launcher.gateway_process import GatewayProcess
from retriton_serving.launcher.installation import TritonInstallation, TritonWheel
from retriton_serving.launcher.options import ServerTls, renewed_connections, traces_url, tracing
from retriton_serving.launcher.ports import Endpoint
from retriton_serving.launcher.process import allow_open_files
from retriton_serving.launcher.repository import installed_encoder
from retriton_serving.launcher.scratch import sweep
from retriton_serving.launcher.server import TritonServer
from retriton_serving.launcher.supervisor import Supervisor


@dataclass(frozen=True)
class Service:
    """What is served, and where. Triton and the gateway are supervised apart: neither's end touches the other.

    Attributes:
        triton: what to run.
        model_repository: what to serve.
        endpoint: where Triton listens; the gateway listens on the same host.
        gateway_port: of the gateway; None: no gateway.
        variant: configuration of the encoder, as for `TritonServer`.
        tls: encryption of gRPC.
        connection_age_s: age at which gRPC connections end; 0: never.
        environ: variables for Triton besides this process's own.
        gateway_environ: variables for the gateway besides this process's own.
    """

    triton: TritonWheel | TritonInstallation
    model_repository: Path
    endpoint: Endpoint
    gateway_port: int | None = 8080
    variant: str | None = None
    tls: ServerTls | None = None
    connection_age_s: float = 0.0
    environ: Mapping[str, str] = field(default_factory=dict)
    gateway_environ: Mapping[str, str] = field(default_factory=dict)

    def run(self, say: Callable[[str], None], grace_s: float = 30.0) -> None:
        """Serves until SIGTERM or Ctrl-C; must be called in the main thread.

        Args:
            say: called with what a person wants to read.
            grace_s: time to finish accepted requests when stopping.

        Raises:
            LaunchError: a port is taken, no encoder is installed, or Triton does not get healthy.
        """
        encoder = installed_encoder(self.model_repository).encoder
        gateway = None
        if self.gateway_port is not None:
            gateway = GatewayProcess(
                self.endpoint.host, self.gateway_port, self.endpoint, self.tls, self.gateway_environ
            )

        def on_ready(_: TritonServer) -> None:
            if gateway:
                gateway.start()
            http = f" and http://{gateway.address} (HTTP)" if gateway else ""
            _say(say, f"serving {encoder.name} on {self.endpoint.grpc_url} (gRPC){http} until Ctrl-C")

        tls = self.tls.for_clients() if self.tls else None
        supervisor = Supervisor(self._start, on_ready, tls)
        signal.signal(signal.SIGTERM, _interrupt)
        allow_open_files()
        sweep()
        try:
            supervisor.run()
        except KeyboardInterrupt:
            _say(say, "stopping; once more stops at once")
        finally:
            _stop(gateway, supervisor, grace_s)

    def _start(self) -> TritonServer:
        url = traces_url()
        options = [
            *(tracing(url) if url else []),
            *(renewed_connections(self.connection_age_s) if self.connection_age_s else []),
        ]
        return TritonServer(
            self.triton,
            self.model_repository,
            self.endpoint,
            variant=self.variant,
            tls=self.tls,
            options=options,
            environ=self.environ,
        )


def _stop(gateway: GatewayProcess | None, supervisor: Supervisor, grace_s: float) -> None:
    """Stops both; a second Ctrl-C or SIGTERM ends the wait, and further ones are ignored."""
    try:
        _stop_within(gateway, supervisor, grace_s)
    except KeyboardInterrupt:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        _stop_within(gateway, supervisor, 0.0)


def _stop_within(gateway: GatewayProcess | None, supervisor: Supervisor, grace_s: float) -> None:
    if gateway:
        gateway.stop(grace_s)
    if supervisor.server:
        supervisor.server.stop(grace_s)


def _say(say: Callable[[str], None], line: str) -> None:
    """A reader that is gone, or a full disk, does not stop the service."""
    with contextlib.suppress(OSError):
        say(line)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
