"""Bodies of requests, with a bounded size."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import Message, Receive

from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.http.json_values import ValueCounter

_GRACE_S = 15.0


class ClientDisconnected(Exception):
    """The client closed the connection before it had the response."""


def check_content_length(headers: Headers, bytes_max: int) -> None:
    """Raises `ApiError` if the body is announced as larger than ``bytes_max``."""
    length = headers.get("content-length", "")
    if length.isdecimal() and float(length) > bytes_max:
        raise _too_large(length, bytes_max)


async def read_body(receive: Receive, bytes_max: int, hold: Callable[[int], None]) -> bytes:
    """The whole body; ``hold`` is called with the size of each part.

    Raises:
        ApiError: it is too large, or has too many values for a JSON document.
        ClientDisconnected: it is not complete.
    """
    parts, size, more, values = [], 0, True, ValueCounter()
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > bytes_max:
            raise _too_large(size, bytes_max)
        values.feed(parts[-1])
        hold(len(parts[-1]))
        more = message.get("more_body", False)
    return b"".join(parts)


def limited(receive: Receive, bytes_max: int) -> Receive:
    """``receive`` for a streamed body; raises `ApiError` once it is too large."""
    size = 0

    async def receive_limited() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > bytes_max:
            raise _too_large(size, bytes_max)
        return message

    return receive_limited


def paced(receive: Receive, bytes_per_s: int) -> Receive:
    """``receive`` for a body; raises `ApiError` if it is slower than ``bytes_per_s`` after the first seconds."""
    start_s, size, more = asyncio.get_running_loop().time(), 0, True

    async def receive_paced() -> Message:
        nonlocal size, more
        if not more:
            return await receive()
        try:
            async with asyncio.timeout_at(start_s + _GRACE_S + size / bytes_per_s):
                message = await receive()
        except TimeoutError:
            slow = f"{size} bytes of the body arrived in time, at least {bytes_per_s} a second are expected"
            raise ApiError(408, "request_timeout", slow) from None
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
        return message

    return receive_paced


def replayed(body: bytes, disconnect: asyncio.Future[Message]) -> Receive:
    """A ``receive`` that gives a body that was read before, and then waits for the disconnect."""
    unread = [body]

    async def receive_replayed() -> Message:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        return await asyncio.shield(disconnect)

    return receive_replayed


def _too_large(size: object, bytes_max: int) -> ApiError:
    return ApiError(413, "too_large", f"the body has {size} bytes or more, the limit is {bytes_max}")
