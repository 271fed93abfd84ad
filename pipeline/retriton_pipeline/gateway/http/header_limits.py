"""Connections whose requests must begin soon, and with headers of a bounded size: uvicorn bounds neither."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES_MAX = 65_536
HEAD_SECONDS_MAX = 10.0


class BoundedHead(HttpToolsProtocol):
    """Closes a connection whose headers are too long, or take too long."""

    _in_head = False
    _head_bytes = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A head is expected."""
        super().connection_made(transport)
        self._expect_head()

    def on_message_begin(self) -> None:
        """The next request of a connection that was kept."""
        super().on_message_begin()
        if not self._in_head:
            self._expect_head()

    def on_headers_complete(self) -> None:
        """From here on the door watches."""
        self._end_head()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Counts what is still headers."""
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._give_up()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is expected any more."""
        self._end_head()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        self._in_head, self._head_bytes = True, 0
        self._timer = self.loop.call_later(HEAD_SECONDS_MAX, self._give_up)

    def _end_head(self) -> None:
        self._in_head = False
        if self._timer:
            self._timer.cancel()

    def _give_up(self) -> None:
        self._end_head()
        self.transport.close()
