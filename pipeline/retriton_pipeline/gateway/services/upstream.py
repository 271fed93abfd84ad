"""The Triton servers behind the gateway: their clients, and what the first one serves."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from retriton_client import AsyncClient, EncoderInfo, Limits, RerankerInfo, RetritonError, Retry
from retriton_pipeline.coalescing import CoalescingEmbedder
from retriton_pipeline.gateway.settings import Settings

T = TypeVar("T")
_FRESH_S = 30.0
# The middleware and the lanes limit what waits. A large request is sent in turns, so that others come between.
_LIMITS = Limits(texts_per_request=32, requests_in_flight=1024, requests_per_call=2)
_NO_RETRY = Retry(attempts_max=1)  # an overload is reported to the caller, who decides when to try again


class CachedValue(Generic[T]):
    """A value that is loaded again after a while; while loading fails, the old value is used."""

    def __init__(self, load: Callable[[], Awaitable[T]]) -> None:
        self._load = load
        self._values: list[T] = []
        self._fresh_until_s = 0.0

    async def get(self) -> T:
        """The value. Raises what loading raises, if there is no old value."""
        if not self._values or time.monotonic() > self._fresh_until_s:
            self._fresh_until_s = time.monotonic() + _FRESH_S
            try:
                self._values = [await self._load()]
            except BaseException as error:  # a cancelled request must not make the old value fresh
                self._fresh_until_s = 0.0
                if not (self._values and isinstance(error, RetritonError)):
                    raise
        return self._values[0]

    def expire(self) -> None:
        """The next `get` loads the value."""
        self._fresh_until_s = 0.0


class Upstream:
    """The Triton server behind the gateway.

    Attributes:
        client: shared by embedding, retrieval and reranking.
        next_client: of a server with another encoder, for collections that were made with it; None if there is none.
        embedder: embeds the texts of small requests together.
    """

    def __init__(self, settings: Settings) -> None:
        self.client = _client(settings.url, settings)
        self.next_client = _client(settings.next_url, settings) if settings.next_url else None
        self.embedder = CoalescingEmbedder(self.client)
        self._encoder = CachedValue(self.client.encoder_info)
        self._reranker = CachedValue(self.client.reranker_info)

    async def encoder(self) -> EncoderInfo:
        """The served encoder."""
        return await self._encoder.get()

    async def reranker(self) -> RerankerInfo | None:
        """The served cross-encoder; None if there is none."""
        return await self._reranker.get()

    def expire(self) -> None:
        """Loads encoder and cross-encoder again when they are next needed: they may have been replaced."""
        self._encoder.expire()
        self._reranker.expire()

    async def close(self) -> None:
        """Closes the connections."""
        await self.client.close()
        if self.next_client:
            await self.next_client.close()


def _client(url: str, settings: Settings) -> AsyncClient:
    return AsyncClient(url, timeout_s=settings.timeout_s, limits=_LIMITS, retry=_NO_RETRY, tls=settings.tls)
