"""Responses to HTTP/1.0, which has no chunks: uvicorn sends them nevertheless, and clients take them for content."""

from __future__ import annotations

from starlette.datastructures import Headers
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class UnchunkedResponse(RequestResponseCycle):
    """A response without a length ends with the connection."""

    _has_length = True

    async def send(self, message: ASGISendEvent) -> None:
        """Sends a part of it."""
        if message["type"] == "http.response.start":
            self._has_length = "content-length" in Headers(raw=list(message.get("headers", [])))
            self.chunked_encoding = None if self._has_length else False
        elif message["type"] == "http.response.body" and not self._has_length:
            self.expected_content_length = len(message.get("body", b""))
        await super().send(message)
