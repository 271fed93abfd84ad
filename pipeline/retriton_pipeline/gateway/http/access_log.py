"""Request ids, the access log, and metrics of requests."""

from __future__ import annotations

import logging
import re
import time
import uuid
from contextvars import ContextVar

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retriton_pipeline.gateway.http.authentication import PUBLIC_PREFIXES
from retriton_pipeline.gateway.metrics import GatewayMetrics

log = logging.getLogger("retriton.gateway.access")
current_request_id: ContextVar[str | None] = ContextVar("current_request_id", default=None)  # added to log records
_ID = re.compile(r"[\w.:-]{1,128}")
_CLIENT_CLOSED_REQUEST = 499  # nginx' status, for the log: the client has disconnected


class AccessLogMiddleware:
    """Gives every request an id, and logs and counts how it ended."""

    def __init__(self, app: ASGIApp, metrics: GatewayMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), _CLIENT_CLOSED_REQUEST
        request_id = _request_id(Headers(scope=scope).get("x-request-id", ""))
        current_request_id.set(request_id)

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        self._metrics.in_flight.inc()
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            self._metrics.in_flight.dec()
            self._record(scope, status, time.perf_counter() - start)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        self._metrics.requests.labels(route, str(status)).inc()
        self._metrics.request_seconds.labels(route).observe(seconds)
        if not scope["path"].startswith(PUBLIC_PREFIXES):
            fields = {
                "method": scope["method"],
                "route": route,
                "status": status,
                "ms": round(seconds * 1e3, 2),
                "key": scope.get("key"),
            }
            log.info("request", extra=fields)


def _request_id(requested: str) -> str:
    return requested if _ID.fullmatch(requested) else uuid.uuid4().hex
