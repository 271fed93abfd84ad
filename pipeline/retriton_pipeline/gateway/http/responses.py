"""Large responses: what is not sent yet is bounded, and sent in pieces, so that the peer's pace holds it back."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import Message, Send

from retriton_pipeline.gateway.errors import RETRY_AFTER_S, ApiError
from retriton_pipeline.gateway.fairness import Shares

_PIECE_BYTES = 65_536


class HeldBytes:
    """The bytes of one request and its response that are in memory.

    Args:
        shares: of all keys.
        key: of the request.
    """

    def __init__(self, shares: Shares, key: str) -> None:
        self._shares = shares
        self._key = key
        self._held = 0

    def take(self, size: int) -> None:
        """Holds ``size`` bytes more. Raises `ApiError` if that is more than the key's share."""
        if not self._shares.take(self._key, size):
            message = f"requests and responses hold {self._shares.used} bytes, the limit is {self._shares.total}"
            raise ApiError(429, "overloaded", f"{message}: try again", retry_after_s=RETRY_AFTER_S)
        self._held += size

    def give_back(self) -> None:
        """Everything."""
        self._shares.give_back(self._key, self._held)
        self._held = 0


class PacedResponse:
    """A ``send`` that holds the bytes of a response until they are sent.

    Attributes:
        refusal: the response was dropped because it is larger than the key's share.
    """

    def __init__(self, send: Send, held: HeldBytes) -> None:
        self._send = send
        self._held = held
        self.refusal: ApiError | None = None

    async def __call__(self, message: Message) -> None:
        """Sends a message, in pieces."""
        if message["type"] == "http.response.start":
            try:
                self._held.take(int(Headers(raw=message["headers"]).get("content-length", "0")))
            except ApiError as refusal:
                self.refusal = refusal
        if self.refusal:
            return
        body = message.get("body", b"")
        if len(body) > _PIECE_BYTES:
            pieces = memoryview(body)
            last = (len(body) - 1) // _PIECE_BYTES * _PIECE_BYTES
            for start in range(0, last, _PIECE_BYTES):
                piece = bytes(pieces[start : start + _PIECE_BYTES])
                await self._send({"type": "http.response.body", "body": piece, "more_body": True})
            message = {**message, "body": bytes(pieces[last:])}
        await self._send(message)
