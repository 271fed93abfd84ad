"""Requests that ask whether to send their body (``Expect: 100-continue``)."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class ExpectationMiddleware:
    """Closes the connection after a response that did not need the body.

    The server answers ``100 Continue`` when the application reads the body. A client that gets a refusal instead does
    not send the body, and its next request would be read as this body.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or not _expects(scope):
            await self._app(scope, receive, send)
            return
        is_read = False

        async def receive_noted() -> Message:
            nonlocal is_read
            is_read = True
            return await receive()

        async def send_closing(message: Message) -> None:
            if message["type"] == "http.response.start" and not is_read:
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)

        await self._app(scope, receive_noted, send_closing)


def _expects(scope: Scope) -> bool:
    return any(name == b"expect" and value.lower() == b"100-continue" for name, value in scope["headers"])
