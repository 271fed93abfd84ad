"""The end of requests whose response nobody waits for any more."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from starlette.types import Message, Receive, Send

from retriton_pipeline.gateway.http.request_bodies import ClientDisconnected


class Ending:
    """Cancels what runs in its ``async with`` when the deadline passes, or when the client disconnects.

    The block then raises `TimeoutError` or `ClientDisconnected`.

    Args:
        seconds: until the response must start.
    """

    def __init__(self, seconds: float) -> None:
        self._timeout = asyncio.timeout(seconds)
        self._disconnect: asyncio.Task[Message] | None = None
        self._has_disconnected = False
        self._is_complete = False

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        disconnect, self._disconnect = self._disconnect, None
        if disconnect:
            disconnect.cancel()
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError:
            if self._has_disconnected:
                raise ClientDisconnected from None
            raise

    def noted(self, send: Send) -> Send:
        """``send`` for the response; its first message meets the deadline."""

        async def send_noted(message: Message) -> None:
            if not self._has_disconnected:
                self._timeout.reschedule(None)
            self._is_complete = message["type"] == "http.response.body" and not message.get("more_body")
            await send(message)

        return send_noted

    def disconnect(self, receive: Receive) -> asyncio.Future[Message]:
        """The disconnect of the client, which ends the block. To be called once, after the body was received."""
        self._disconnect = asyncio.ensure_future(_disconnect(receive))
        self._disconnect.add_done_callback(self._end)
        return self._disconnect

    def _end(self, disconnect: asyncio.Future[Message]) -> None:
        """Servers report a disconnect after a complete response, too."""
        if disconnect is self._disconnect and not self._is_complete and not self._timeout.expired():
            self._has_disconnected = True
            self._timeout.reschedule(0.0)


async def _disconnect(receive: Receive) -> Message:
    while (message := await receive())["type"] != "http.disconnect":
        pass
    return message
