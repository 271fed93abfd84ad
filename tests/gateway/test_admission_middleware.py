"""The admission middleware around an application of a test, without a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from retriton_pipeline.gateway.http.admission import AdmissionMiddleware
from retriton_pipeline.gateway.metrics import GatewayMetrics
from retriton_pipeline.gateway.settings import Bounds, Settings

SETTINGS = Settings("", "", timeout_s=5, bounds=Bounds(requests=2, body_bytes=10, upload_bytes=20))
UPLOAD = "/v1/collections/c/documents"


class Application:
    """Responds with the body of the request, once `finish` is set.

    Attributes:
        started, cancelled: set when a request starts, and when one is cancelled.
    """

    def __init__(self) -> None:
        self.finish, self.started, self.cancelled = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.finish.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await Request(scope, receive).body()
        self.started.set()
        try:
            await self.finish.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        await PlainTextResponse(body)(scope, receive, send)


class Exchange:
    """One request to the middleware, and its response."""

    def __init__(self, *body: bytes, path: str = "/v1/embeddings", **headers: str) -> None:
        named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        self.scope = {"type": "http", "method": "POST", "path": path, "headers": named, "query_string": b""}
        self.incoming: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        for number, part in enumerate(body or (b"",), 1):
            more = number < len(body)
            self.incoming.put_nowait({"type": "http.request", "body": part, "more_body": more})
        self.status = 0
        self.body = b""

    async def send_to(self, middleware: AdmissionMiddleware) -> Exchange:
        await middleware(self.scope, self.incoming.get, self._receive)
        return self

    async def _receive(self, message: MutableMapping[str, Any]) -> None:
        self.status = message.get("status", self.status)
        self.body += message.get("body", b"")

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)["error"]
        return found


@pytest.fixture
async def application() -> Application:
    return Application()


@pytest.fixture
async def metrics() -> GatewayMetrics:
    return GatewayMetrics()


@pytest.fixture
async def middleware(application: Application, metrics: GatewayMetrics) -> AdmissionMiddleware:
    return AdmissionMiddleware(application, SETTINGS, metrics)


async def test_the_application_gets_the_whole_body(middleware: AdmissionMiddleware) -> None:
    found = await Exchange(b"one ", b"two").send_to(middleware)
    assert (found.status, found.body) == (200, b"one two")


@pytest.mark.parametrize(("parts", "headers"), [((b"x" * 6, b"x" * 6), {}), ((b"",), {"content_length": "11"})])
async def test_large_bodies_are_rejected(
    middleware: AdmissionMiddleware, parts: tuple[bytes, ...], headers: dict[str, str]
) -> None:
    found = await Exchange(*parts, **headers).send_to(middleware)
    assert (found.status, found.error["code"]) == (413, "too_large")
    assert "the limit is 10" in found.error["message"]


async def test_uploads_have_their_own_limit(middleware: AdmissionMiddleware) -> None:
    assert (await Exchange(b"x" * 15, path=UPLOAD).send_to(middleware)).status == 200
    assert (await Exchange(b"x" * 15, b"x" * 15, path=UPLOAD).send_to(middleware)).status == 413


async def test_requests_beyond_the_limit_are_rejected_until_one_ends(
    middleware: AdmissionMiddleware, application: Application, metrics: GatewayMetrics
) -> None:
    application.finish.clear()
    first = [asyncio.ensure_future(Exchange().send_to(middleware)) for _ in range(2)]
    await application.started.wait()
    rejected = await Exchange().send_to(middleware)
    assert (rejected.status, rejected.error["code"]) == (429, "overloaded")
    assert b'rejected_total{reason="overloaded"} 1.0' in metrics.page()
    application.finish.set()
    assert [found.status for found in await asyncio.gather(*first)] == [200, 200]
    assert (await Exchange().send_to(middleware)).status == 200


async def test_the_deadline_cancels_the_request(middleware: AdmissionMiddleware, application: Application) -> None:
    application.finish.clear()
    found = await Exchange(x_request_timeout_ms="20").send_to(middleware)
    assert (found.status, found.error["code"]) == (504, "deadline_exceeded")
    assert application.cancelled.is_set()


@pytest.mark.parametrize("value", ["soon", "0", "-1", "1.5", "9" * 5000])
async def test_invalid_deadlines_are_rejected(middleware: AdmissionMiddleware, value: str) -> None:
    found = await Exchange(x_request_timeout_ms=value).send_to(middleware)
    assert (found.status, found.error["param"]) == (400, "X-Request-Timeout-Ms")


async def test_a_disconnect_cancels_the_request(
    middleware: AdmissionMiddleware, application: Application, metrics: GatewayMetrics
) -> None:
    application.finish.clear()
    exchange = Exchange()
    request = asyncio.ensure_future(exchange.send_to(middleware))
    await application.started.wait()
    exchange.incoming.put_nowait({"type": "http.disconnect"})
    await request
    assert application.cancelled.is_set()
    assert exchange.status == 0
    assert b'rejected_total{reason="disconnected"} 1.0' in metrics.page()
