"""The gateway's process: TLS, listening, and graceful shutdown."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from retriton_pipeline.errors import PipelineError
from retriton_pipeline.gateway.app import create_app
from retriton_pipeline.gateway.http.connection import BoundedConnection
from retriton_pipeline.gateway.http.json_log import configure_json_log
from retriton_pipeline.gateway.http.origins import LOOPBACK
from retriton_pipeline.gateway.http.tracing import start_tracing
from retriton_pipeline.gateway.settings import Settings

log = logging.getLogger("retriton.gateway")
_EXIT_S = 10.0  # after the grace period
_ALLOCATIONS = 20_000  # between two garbage collections; the default of 700 is reached by two requests
_ACCEPTED_PER_ROUND = 16  # connections; uvloop accepts one for each listening socket


@dataclass(frozen=True)
class Listen:
    """Where a gateway listens.

    Attributes:
        host, port: the address.
        certificate, key: PEM files for HTTPS; None for HTTP.
        grace_s: seconds to finish accepted requests at shutdown.
        keep_alive_s: seconds for which an idle connection is kept. A proxy that keeps it longer sends requests into
            connections that are being closed; usual ones keep it for 60.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    certificate: Path | None = None
    key: Path | None = None
    grace_s: float = 30.0
    keep_alive_s: float = 75.0

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise PipelineError("HTTPS needs both --tls-cert and --tls-key")
        for file in (self.certificate, self.key):
            if file is not None and not file.is_file():
                raise PipelineError(f"there is no file {file}")


def listen(settings: Settings, where: Listen) -> None:
    """Serves until SIGTERM or Ctrl-C.

    Raises:
        PipelineError: the address is in use, or a setting is invalid.
    """
    configure_json_log()
    start_tracing()
    app = create_app(settings)
    if settings.llm:
        settings.llm.preload()
    _warn_of_open_access(settings, where)
    config = uvicorn.Config(
        app,
        http=BoundedConnection,
        ws="none",  # offers to upgrade are ignored
        host=where.host,
        port=where.port,
        ssl_certfile=where.certificate,
        ssl_keyfile=where.key,
        timeout_graceful_shutdown=round(where.grace_s),
        timeout_keep_alive=round(where.keep_alive_s),
        log_config=None,
        access_log=False,  # the access log middleware has more fields
        server_header=False,
    )
    server = _Server(config)
    signal.signal(signal.SIGTERM, lambda number, frame: None)  # uvicorn raises it again after a graceful shutdown
    gc.collect()
    gc.freeze()  # excludes the loaded modules from garbage collection, which would pause all requests for 0.1 s
    gc.set_threshold(_ALLOCATIONS)
    try:
        server.run()
    except (ssl.SSLError, OSError) as error:
        raise PipelineError(f"cannot serve on {where.host}:{where.port}: {error}") from error
    except SystemExit as error:  # uvicorn's, which has logged the reason
        if error.code:
            raise PipelineError(f"cannot listen on {where.host}:{where.port}; the log has the reason") from None
        raise


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn; and accepts several connections in a round of the event loop.

        Otherwise the system's queue of connections fills under load, and peers wait until their packets are repeated.
        """
        await super().startup(sockets)
        if self.started:
            for listening in [one for server in self.servers for one in server.sockets]:
                for _ in range(_ACCEPTED_PER_ROUND - 1):
                    await self._listen_again(listening.fileno())

    async def _listen_again(self, fd: int) -> None:
        config = self.config
        server = await asyncio.get_running_loop().create_server(
            lambda: config.http_protocol_class(  # type: ignore[call-arg]
                config=config, server_state=self.server_state, app_state=self.lifespan.state
            ),
            sock=socket.socket(fileno=os.dup(fd)),
            ssl=config.ssl,
            backlog=config.backlog,
        )
        self.servers.append(server)

    async def shutdown(self, *arguments: Any, **named: Any) -> None:
        """As uvicorn; and ends the process even if a thread waits for a Milvus that does not respond."""
        watchdog = threading.Timer((self.config.timeout_graceful_shutdown or 0) + _EXIT_S, os._exit, (0,))
        watchdog.daemon = True
        watchdog.start()
        await super().shutdown(*arguments, **named)


def _warn_of_open_access(settings: Settings, where: Listen) -> None:
    is_remote = where.host not in LOOPBACK
    if settings.keys_file is None:
        who = "anyone who can reach this host" if is_remote else "every program on this machine"
        log.warning("no API keys: %s has access; create keys with `retriton key NAME`", who)
    elif is_remote and where.certificate is None:
        log.warning("API keys are sent unencrypted: use --tls-cert and --tls-key, or a proxy with TLS")
