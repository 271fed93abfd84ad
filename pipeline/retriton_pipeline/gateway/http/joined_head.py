"""The head of a response and its body in one packet: uvicorn writes them separately, which costs a system call each."""

from __future__ import annotations

import asyncio
from typing import Any


class JoinedHead:
    """The transport of one response. It keeps the first write until the next one, or until the event loop is idle.

    Args:
        transport: of the connection; everything else is its own.
        loop: the event loop.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head: bytes | None = None
        self._is_first = True

    def write(self, data: bytes) -> None:
        """Writes ``data``, the head later."""
        if self._is_first:
            self._is_first, self._head = False, data
            self._loop.call_soon(self._write_head)
        elif self._head is None:
            self._transport.write(data)
        else:
            head, self._head = self._head, None
            self._transport.write(head + data)

    def close(self) -> None:
        """Closes the connection once everything is sent."""
        self._write_head()
        self._transport.close()

    def _write_head(self) -> None:
        if self._head is not None and not self._transport.is_closing():
            self._transport.write(self._head)
        self._head = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
