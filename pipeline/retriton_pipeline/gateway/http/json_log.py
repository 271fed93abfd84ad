"""Log records as JSON lines, with the id of the request."""

from __future__ import annotations

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

from retriton_pipeline.gateway.http.access_log import current_request_id

_FIELDS = {"asctime": "time", "levelname": "level", "name": "logger"}


def configure_json_log() -> None:
    """Sends all log records to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_add_request_id)
    handler.setFormatter(JsonFormatter("{asctime}{levelname}{name}{message}", style="{", rename_fields=_FIELDS))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for verbose in ("httpx", "httpx2", "httpcore", "openai"):
        logging.getLogger(verbose).setLevel(logging.WARNING)


def _add_request_id(record: logging.LogRecord) -> bool:
    if (request_id := current_request_id.get()) is not None:
        record.request_id = request_id
    return True
