"""Limits on the size of request headers and on the time until they are complete; uvicorn has neither."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class HeaderLimitsProtocol(HttpToolsProtocol):
    """Closes connections whose request headers are too large or too slow.

    The time is limited for the first request of a connection, from the time it opens, and for later requests from
    their first byte: idle connections are kept.

    Attributes:
        header_bytes_max: of the headers of a request.
        header_seconds_max: until they are complete.
    """

    header_bytes_max = 65_536
    header_seconds_max = 10.0
    _in_headers = False
    _header_bytes = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """The first request of a new connection must follow in time."""
        super().connection_made(transport)
        self._start_headers()

    def on_message_begin(self) -> None:
        """A request on a kept connection begins."""
        super().on_message_begin()
        if not self._in_headers:
            self._start_headers()

    def on_headers_complete(self) -> None:
        """The admission middleware limits the body."""
        self._end_headers()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Counts the bytes of headers."""
        super().data_received(data)
        if self._in_headers:
            self._header_bytes += len(data)
            if self._header_bytes > self.header_bytes_max:
                self._close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the timer."""
        self._end_headers()
        super().connection_lost(exc)

    def _start_headers(self) -> None:
        self._in_headers, self._header_bytes = True, 0
        self._timer = self.loop.call_later(self.header_seconds_max, self._close)

    def _end_headers(self) -> None:
        self._in_headers = False
        if self._timer:
            self._timer.cancel()

    def _close(self) -> None:
        self._end_headers()
        self.transport.close()
