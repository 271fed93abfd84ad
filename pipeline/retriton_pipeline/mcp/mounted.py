"""The server within a gateway: its tools send requests to that gateway, each with the key of its caller."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from contextvars import ContextVar

import httpx2
from starlette.types import ASGIApp, Receive, Scope, Send

from retriton_pipeline.mcp.gateway_requests import GatewayRequests
from retriton_pipeline.mcp.server import create_server

_authorization: ContextVar[str] = ContextVar("authorization", default="")  # of the request that calls a tool


class MountedServer:
    """MCP over streamable HTTP, without sessions: each request is answered with one JSON document.

    Args:
        gateway: the application that the tools send their requests to.
    """

    def __init__(self, gateway: ASGIApp) -> None:
        transport = httpx2.ASGITransport(gateway, raise_app_exceptions=False)
        requests = GatewayRequests("http://127.0.0.1", transport=transport, auth=_CallersKey())
        # The gateway has checked Host and Origin, or the key. Only hosts on loopback addresses would be checked again.
        server = create_server(requests)
        self._app = server.streamable_http_app(json_response=True, stateless_http=True, host="0.0.0.0")  # noqa: S104

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None, None]:
        """Requests can be answered inside."""
        async with self._app.router.lifespan_context(self._app):
            yield

    async def answer(self, authorization: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request for the path ``/mcp``; ``authorization`` is its header with the key."""
        _authorization.set(authorization)
        await self._app(_accepting_json(scope), receive, send)


def _accepting_json(scope: Scope) -> Scope:
    """The request as if it accepted JSON, which is what it gets: hosts accept one type, ``*/*``, or do not say."""
    others = [(name, value) for name, value in scope["headers"] if name != b"accept"]
    return {**scope, "headers": [*others, (b"accept", b"application/json, text/event-stream")]}


class _CallersKey(httpx2.Auth):
    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """The request with the key of the caller."""
        if authorization := _authorization.get():
            request.headers["Authorization"] = authorization
        yield request
