"""The process: listens, logs, and stops in order."""

from __future__ import annotations

import gc
import logging
import os
import signal
import ssl
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from pythonjsonlogger.json import JsonFormatter

from retriton_pipeline.errors import PipelineError
from retriton_pipeline.gateway.app import create_app
from retriton_pipeline.gateway.http.admission import current_request
from retriton_pipeline.gateway.http.header_limits import BoundedHead
from retriton_pipeline.gateway.http.origins import LOOPBACK
from retriton_pipeline.gateway.http.tracing import start_tracing
from retriton_pipeline.gateway.settings import Settings

log = logging.getLogger("retriton.gateway")
_END_S = 10.0  # after the time of grace


@dataclass(frozen=True)
class Listen:
    """Where a gateway listens.

    Attributes:
        host, port: the address.
        certificate, key: files in PEM, for HTTPS; None is HTTP.
        grace_s: to finish what was accepted, when it is told to stop.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    certificate: Path | None = None
    key: Path | None = None
    grace_s: float = 30.0

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise PipelineError("HTTPS needs both --tls-cert and --tls-key")
        for file in (self.certificate, self.key):
            if file is not None and not file.is_file():
                raise PipelineError(f"there is no file {file}")


def listen(settings: Settings, where: Listen) -> None:
    """Serves until SIGTERM or Ctrl-C.

    Raises:
        PipelineError: the address is taken, or the settings cannot be used.
    """
    _log_as_json()
    start_tracing()
    app = create_app(settings)
    _warn_of_open_doors(settings, where)
    config = uvicorn.Config(
        app,
        http=BoundedHead,
        host=where.host,
        port=where.port,
        ssl_certfile=where.certificate,
        ssl_keyfile=where.key,
        timeout_graceful_shutdown=round(where.grace_s),
        log_config=None,
        access_log=False,  # the door tells more
        server_header=False,
    )
    server = _Server(config)
    signal.signal(signal.SIGTERM, lambda number, frame: None)  # uvicorn raises it again when it has stopped in order
    gc.collect()
    gc.freeze()  # what is loaded now stays: looking for garbage in it takes 0.1 s, in which nobody is served
    try:
        server.run()
    except (ssl.SSLError, OSError) as error:
        raise PipelineError(f"cannot serve on {where.host}:{where.port}: {error}") from error
    except SystemExit as error:  # uvicorn's, which has logged why
        if error.code:
            raise PipelineError(f"cannot listen on {where.host}:{where.port}; the log says why") from None
        raise


class _Server(uvicorn.Server):
    async def shutdown(self, *arguments: Any, **named: Any) -> None:
        """As uvicorn; and the process ends, even if a thread waits for a Milvus that does not answer."""
        watchdog = threading.Timer((self.config.timeout_graceful_shutdown or 0) + _END_S, os._exit, (0,))
        watchdog.daemon = True
        watchdog.start()
        await super().shutdown(*arguments, **named)


def _log_as_json() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_with_request)
    handler.setFormatter(JsonFormatter("{asctime}{levelname}{name}{message}", style="{", rename_fields=_FIELDS))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for noisy in ("httpx", "httpx2", "httpcore", "openai"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _with_request(record: logging.LogRecord) -> bool:
    if (request_id := current_request.get()) is not None:
        record.request_id = request_id
    return True


_FIELDS = {"asctime": "time", "levelname": "level", "name": "logger"}


def _warn_of_open_doors(settings: Settings, where: Listen) -> None:
    far = where.host not in LOOPBACK
    if settings.keys_file is None:
        whom = "everybody who reaches this host" if far else "every program on this machine"
        log.warning("no API keys: %s may use all of this; make keys with `retriton key NAME`", whom)
    elif far and where.certificate is None:
        log.warning("API keys come in the clear: give --tls-cert and --tls-key, or put a proxy with TLS in front")
