"""``/mcp``: the Model Context Protocol over streamable HTTP, if the extra ``mcp`` is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.http.json_values import ValueCounter
from retriton_pipeline.gateway.http.media_types import JSON, check_media_type

if TYPE_CHECKING:
    from retriton_pipeline.mcp.mounted import MountedServer

# The SDK parses bodies in the event loop: these limits keep that below 50 ms (docs/log.md).
BYTES_MAX = 1024 * 1024
VALUES_MAX = 2000


class McpEndpoint:
    """The endpoint. `connect` it to the gateway before the first request."""

    def __init__(self) -> None:
        self._server: MountedServer | None = None

    def connect(self, gateway: ASGIApp) -> None:
        """Lets the tools send their requests to ``gateway``; does nothing if the extra is not installed."""
        if importlib.util.find_spec("mcp"):
            from retriton_pipeline.mcp.mounted import MountedServer

            self._server = MountedServer(gateway)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None, None]:
        """Requests can be answered inside."""
        if self._server is None:
            yield
            return
        async with self._server.running():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. Raises `ApiError` if its body is too large, or the extra is not installed."""
        if self._server is None:
            raise ApiError(404, "not_found", "the gateway has no MCP: install `pip install 'retriton[mcp]'`")
        request = Request(scope, receive)
        check_media_type(request.headers, JSON)
        body = await request.body()
        if len(body) > BYTES_MAX:
            raise ApiError(413, "too_large", f"the body has {len(body)} bytes, the limit of MCP is {BYTES_MAX}")
        ValueCounter(VALUES_MAX).feed(body)
        unread = [body]

        async def receive_again() -> Message:
            if unread:
                return {"type": "http.request", "body": unread.pop(), "more_body": False}
            return await receive()

        await self._server.answer(request.headers.get("authorization", ""), scope, receive_again, send)


def route(endpoint: McpEndpoint) -> Route:
    """The route. There are no sessions, so that GET and DELETE are not allowed."""
    return Route("/mcp", endpoint, methods=["POST"], include_in_schema=False)
