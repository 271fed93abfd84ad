"""Refusals while the gateway itself is the queue: its event loop takes longer for a round than callers should wait.

Admission bounds the requests in progress, but every refusal has passed all other middleware. Under several times the
load that one process can answer, these refusals alone would fill the loop, and wait for seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp, Receive, Scope, Send

from retriton_pipeline.gateway.errors import RETRY_AFTER_S, ApiError
from retriton_pipeline.gateway.http.authentication import is_public
from retriton_pipeline.gateway.http.error_responses import error_response
from retriton_pipeline.gateway.metrics import GatewayMetrics

_LAG_S_MAX = 0.05
_WAIT_S_MAX = 0.5  # of a request, as many as are in progress, at the rate at which they end
_REQUESTS_MIN = 64  # in progress: with fewer, a late loop has another cause, and catches up
_BEAT_S = 0.02
_RATE_S = 0.5  # over which the rate is averaged, and for which a late loop is remembered


class Load:
    """How late the event loop is, how many requests are in progress, and how many end a second.

    Attributes:
        in_progress: requests.
    """

    def __init__(self) -> None:
        self.in_progress = 0
        self._ended = 0
        self._per_s = 0.0
        self._beat_s = 0.0
        self._late_s = 0.0

    @property
    def is_too_high(self) -> bool:
        """Whether the loop is late, or was lately, and another request would wait for too long."""
        if self.in_progress < max(_REQUESTS_MIN, _WAIT_S_MAX * self._per_s):
            return False
        now = asyncio.get_running_loop().time()
        if now - self._beat_s > _BEAT_S + _LAG_S_MAX:
            self._late_s = now
        return now - self._late_s < _RATE_S

    @contextmanager
    def request(self) -> Iterator[None]:
        """A request in progress."""
        if not self._beat_s:
            self._beat()
        self.in_progress += 1
        try:
            yield
        finally:
            self.in_progress -= 1
            self._ended += 1

    def _beat(self) -> None:
        """Runs every 20 ms, if the loop is not late."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        elapsed_s = max(now - self._beat_s, 1e-3)
        self._per_s += (self._ended / elapsed_s - self._per_s) * min(1.0, elapsed_s / _RATE_S)
        self._beat_s, self._ended = now, 0
        loop.call_later(_BEAT_S, self._beat)


class SheddingMiddleware:
    """Refuses requests with 429 while the load is too high (see `Load`)."""

    def __init__(self, app: ASGIApp, metrics: GatewayMetrics) -> None:
        self._app = app
        self._metrics = metrics
        self._load = Load()
        message = "the gateway is overloaded: try again"
        self._refusal = error_response(ApiError(429, "overloaded", message, retry_after_s=RETRY_AFTER_S))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or is_public(scope):
            await self._app(scope, receive, send)
        elif self._load.is_too_high:
            self._metrics.reject(429)
            await self._refusal(scope, receive, send)
        else:
            with self._load.request():
                await self._app(scope, receive, send)
