"""The servers that embed for a collection."""

from __future__ import annotations

from retriton_client import AsyncClient, EncoderInfo
from retriton_pipeline.errors import InvalidOption


class Servers:
    """The server of the encoder, and the one of the next encoder, if the collection is to be switched to it.

    Args:
        client: of the first server.
        next_client: of the server with the next encoder, or None.
        encoder: what the first server serves; None asks it.
        owned: the clients that `close` closes.
    """

    def __init__(
        self,
        client: AsyncClient,
        next_client: AsyncClient | None,
        encoder: EncoderInfo | None,
        owned: tuple[AsyncClient, ...],
    ) -> None:
        self.first = client
        self._next = next_client
        self._encoder = encoder
        self._owned = owned

    @property
    def next(self) -> AsyncClient:
        """The server of the next encoder. Raises `InvalidOption` without one."""
        if self._next is None:
            raise InvalidOption("a switch needs the server of the new encoder: name it with next_url (--next-url)")
        return self._next

    async def of(self, fingerprint: str) -> tuple[AsyncClient, EncoderInfo]:
        """The server with an encoder, and its encoder; the first server if none has it.

        Raises:
            RetritonError: a server cannot be reached.
        """
        first = self._encoder or await self.first.encoder_info()
        if self._next and fingerprint not in ("", first.fingerprint):
            other = await self._next.encoder_info()
            if other.fingerprint == fingerprint:
                return self._next, other
        return self.first, first

    async def close(self) -> None:
        """Closes the connections."""
        for client in self._owned:
            await client.close()
