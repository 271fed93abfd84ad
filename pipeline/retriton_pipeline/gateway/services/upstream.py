"""What Triton serves, remembered for a while, and vectors from it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from retriton_client import AsyncClient, EncoderInfo, Limits, RerankerInfo, RetritonError, Retry
from retriton_pipeline.gateway.services.coalescing import Gathering
from retriton_pipeline.gateway.settings import Settings

T = TypeVar("T")
_FRESH_S = 30.0
LIMITS = Limits(texts_per_request=256, requests_in_flight=1024)  # the door bounds requests, and the lanes what waits
_RETRY = Retry(attempts_max=1)  # an overloaded server is told to the caller, who knows better when to come again


class Remembered(Generic[T]):
    """A value that is asked for again when it is old; the old one serves while nobody can be asked."""

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        self._ask = ask
        self._values: list[T] = []
        self._fresh_until = 0.0

    async def get(self) -> T:
        """The value. Raises what asking raises, if it was never known."""
        if not self._values or time.monotonic() > self._fresh_until:
            self._fresh_until = time.monotonic() + _FRESH_S
            try:
                self._values = [await self._ask()]
            except RetritonError:
                self._fresh_until = 0.0
                if not self._values:
                    raise
        return self._values[0]

    def forget(self) -> None:
        """Asks again the next time."""
        self._fresh_until = 0.0


class Served:
    """The Triton server behind a gateway."""

    def __init__(self, settings: Settings) -> None:
        self.client = AsyncClient(
            settings.url, timeout_s=settings.timeout_s, limits=LIMITS, retry=_RETRY, tls=settings.tls
        )
        self.embed = Gathering(self.client).embed
        self._encoder = Remembered(self.client.encoder_info)
        self._reranker = Remembered(self.client.reranker_info)

    async def encoder(self) -> EncoderInfo:
        """The encoder."""
        return await self._encoder.get()

    async def reranker(self) -> RerankerInfo | None:
        """The cross-encoder, if there is one."""
        return await self._reranker.get()

    def forget(self) -> None:
        """The server may serve something else now."""
        self._encoder.forget()
        self._reranker.forget()
