"""Admission of requests: bounds on their number, size and duration. A disconnect cancels the work for a request."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retriton_pipeline.gateway.errors import RETRY_AFTER_S, ApiError, api_error
from retriton_pipeline.gateway.fairness import Shares
from retriton_pipeline.gateway.http.authentication import is_public
from retriton_pipeline.gateway.http.deadlines import deadline_s
from retriton_pipeline.gateway.http.ending import Ending
from retriton_pipeline.gateway.http.error_responses import error_response
from retriton_pipeline.gateway.http.request_bodies import (
    ClientDisconnected,
    check_content_length,
    limited,
    paced,
    read_body,
    replayed,
)
from retriton_pipeline.gateway.http.responses import HeldBytes, PacedResponse
from retriton_pipeline.gateway.metrics import GatewayMetrics
from retriton_pipeline.gateway.settings import Settings

_UPLOAD_PATH = re.compile(
    r"/v1/collections/[^/]+/documents|/v1/files"
)  # bodies are streamed to files, not kept in memory
_UPLOAD_S_MAX = 600.0


class AdmissionMiddleware:
    """Runs a bounded number of requests at a time, with bodies of a bounded size, each until its deadline."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: GatewayMetrics) -> None:
        self._app = app
        self._bounds = settings.bounds
        self._timeout_s = settings.timeout_s
        self._metrics = metrics
        self._requests = Shares(settings.bounds.requests)
        self._held_bytes = Shares(settings.bounds.held_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if is_public(scope):
            await self._app(scope, receive, send)
            return
        started = False
        slot = contextlib.ExitStack()

        async def release_at_end(message: Message) -> None:
            nonlocal started
            started = True
            if message["type"] == "http.response.body" and not message.get("more_body"):
                slot.close()  # before the client has the whole response, and sends its next request
            await send(message)

        with slot:
            try:
                key = scope.get("key", "")
                slot.enter_context(self._slot(key))
                held = HeldBytes(self._held_bytes, key)
                slot.callback(held.give_back)
                response = PacedResponse(release_at_end, held)
                await self._run(scope, receive, response, held)
                if response.refusal:
                    raise response.refusal
            except ClientDisconnected:
                self._metrics.rejected.labels("disconnected").inc()
            except (ApiError, TimeoutError) as error:
                self._metrics.reject(api_error(error).status)
                if not started:
                    await error_response(error)(scope, receive, send)

    @contextlib.contextmanager
    def _slot(self, key: str) -> Iterator[None]:
        if not self._requests.take(key, 1):
            raise ApiError(
                429,
                "overloaded",
                f"{self._requests.used} requests are in progress, the limit is {self._bounds.requests}: try again",
                retry_after_s=RETRY_AFTER_S,
            )
        try:
            yield
        finally:
            self._requests.give_back(key, 1)

    async def _run(self, scope: Scope, receive: Receive, send: Send, held: HeldBytes) -> None:
        headers = Headers(scope=scope)
        is_upload = scope["method"] == "POST" and bool(_UPLOAD_PATH.fullmatch(scope["path"]))
        bytes_max = self._bounds.upload_bytes if is_upload else self._bounds.body_bytes
        check_content_length(headers, bytes_max)
        async with Ending(deadline_s(headers, _UPLOAD_S_MAX if is_upload else self._timeout_s)) as ending:
            send = ending.noted(send)
            body_receive = paced(receive, self._bounds.body_bytes_per_s)
            if is_upload:
                await self._app(scope, limited(body_receive, bytes_max), send)
            else:
                body = await read_body(body_receive, bytes_max, held.take)
                await self._app(scope, replayed(body, ending.disconnect(receive)), send)
