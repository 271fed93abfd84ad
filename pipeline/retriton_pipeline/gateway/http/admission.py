"""What every request passes before a route sees it: it is named, let in, bounded, and given up with its caller."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
import uuid
from collections.abc import Iterator
from contextvars import ContextVar

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retriton_pipeline.gateway.http.errors import RETRY_AFTER_S, Refused, refusal
from retriton_pipeline.gateway.http.origins import check_origin
from retriton_pipeline.gateway.metrics import GatewayMetrics
from retriton_pipeline.gateway.services.api_keys import ApiKeys
from retriton_pipeline.gateway.settings import Settings

log = logging.getLogger("retriton.gateway.access")
current_request: ContextVar[str | None] = ContextVar("current_request", default=None)  # for what is logged
TIMEOUT_HEADER = "X-Request-Timeout-Ms"
_ID = re.compile(r"[\w.:-]{1,128}")
_OPEN = ("/v1/health/", "/v1/metrics", "/openapi.json", "/static/")  # without a key, and beyond the bound of requests
_UPLOAD = re.compile(r"/v1/collections/[^/]+/documents")  # goes to files as it comes, and not into memory
_UPLOAD_S = 600.0
_CLIENT_CLOSED_REQUEST = 499  # nginx' status, for the log: nobody receives it


class Observed:
    """Gives a request its id, and tells log and metrics how it ended."""

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
        current_request.set(request_id)

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        self._metrics.in_flight.inc()
        try:
            await self._app(scope, receive, named)
        finally:
            self._metrics.in_flight.dec()
            self._tell(scope, status, time.perf_counter() - start)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        self._metrics.requests.labels(route, str(status)).inc()
        self._metrics.request_seconds.labels(route).observe(seconds)
        if not scope["path"].startswith(_OPEN):
            told = {
                "method": scope["method"],
                "route": route,
                "status": status,
                "ms": round(seconds * 1e3, 2),
                "key": scope.get("key"),
            }
            log.info("request", extra=told)


class Guarded:
    """Lets in who has a key, as many as there is room for, with bodies of a bounded size, for a bounded time."""

    def __init__(self, app: ASGIApp, keys: ApiKeys, settings: Settings, metrics: GatewayMetrics) -> None:
        self._app = app
        self._keys = keys
        self._hosts = settings.hosts
        self._bounds = settings.bounds
        self._timeout_s = settings.timeout_s
        self._metrics = metrics
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["path"] == "/" or scope["path"].startswith(_OPEN):
            await self._app(scope, receive, send)
            return
        headers, started = Headers(scope=scope), False
        leave = contextlib.ExitStack()

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            if message["type"] == "http.response.body" and not message.get("more_body"):
                leave.close()  # before the caller can know, and send the next request
            await send(message)

        with leave:
            try:
                self._let_in(scope, headers)
                leave.enter_context(self._place())
                await self._serve(scope, headers, receive, watched)
            except _Gone:
                self._metrics.rejected.labels("disconnected").inc()
            except (Refused, TimeoutError) as error:
                answer = refusal(error)
                self._metrics.rejected.labels(_REASONS.get(answer.status, "malformed")).inc()
                if not started:
                    await answer.response()(scope, receive, send)

    def _let_in(self, scope: Scope, headers: Headers) -> None:
        if not self._keys.are_needed:
            check_origin(headers, self._hosts)
        scope["key"] = self._keys.name(headers.get("authorization", ""))
        if scope["key"] is None:
            raise Refused(401, "invalid_api_key", "this needs a valid API key, as Authorization: Bearer KEY")

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        if self._under_way >= self._bounds.requests:
            raise Refused(
                429,
                "overloaded",
                f"{self._under_way} requests are under way, at most {self._bounds.requests} may: try again",
                retry_after_s=RETRY_AFTER_S,
            )
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    async def _serve(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        streamed = scope["method"] == "POST" and bool(_UPLOAD.fullmatch(scope["path"]))
        most = self._bounds.upload_bytes if streamed else self._bounds.body_bytes
        if (length := headers.get("content-length", "")).isdecimal() and float(length) > most:
            raise _too_large(length, most)
        async with asyncio.timeout(_timeout_s(headers, _UPLOAD_S if streamed else self._timeout_s)) as deadline:

            async def begin(message: Message) -> None:
                deadline.reschedule(None)  # an answer that has begun is not cut
                await send(message)

            if streamed:
                await self._app(scope, _counted(receive, most), begin)
            else:
                await self._until_gone(scope, await _body(receive, most), receive, begin)

    async def _until_gone(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        """Runs the route; a caller that leaves takes its work along."""
        gone = asyncio.ensure_future(_left(receive))
        work = asyncio.ensure_future(self._app(scope, _replayed(body, gone), send))
        try:
            await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise _Gone
            work.result()
        finally:
            for task in (work, gone):
                task.cancel()
            await asyncio.gather(work, gone, return_exceptions=True)


class _Gone(Exception):
    """The caller left."""


_REASONS = {403: "unauthorized", 401: "unauthorized", 413: "too_large", 429: "overloaded", 504: "deadline"}


def _request_id(given: str) -> str:
    return given if _ID.fullmatch(given) else uuid.uuid4().hex


def _timeout_s(headers: Headers, most: float) -> float:
    given = headers.get(TIMEOUT_HEADER, "")
    if not given:
        return most
    if not given.isdecimal() or len(given) > 9 or not int(given):
        raise Refused(400, "invalid_request", f"{TIMEOUT_HEADER} is {given[:20]!r}, not milliseconds", TIMEOUT_HEADER)
    return min(most, int(given) / 1e3)


def _too_large(size: object, most: int) -> Refused:
    return Refused(413, "too_large", f"the body has {size} bytes or more, at most {most} are taken")


async def _body(receive: Receive, most: int) -> bytes:
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            raise _too_large(size, most)
        more = message.get("more_body", False)
    return b"".join(parts)


async def _left(receive: Receive) -> Message:
    while (message := await receive())["type"] != "http.disconnect":
        pass
    return message


def _replayed(body: bytes, gone: asyncio.Future[Message]) -> Receive:
    """The whole body, once, and then whatever ends the request."""
    waiting = [body]

    async def receive() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await asyncio.shield(gone)

    return receive


def _counted(receive: Receive, most: int) -> Receive:
    size = 0

    async def counting() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > most:
            raise _too_large(size, most)
        return message

    return counting
