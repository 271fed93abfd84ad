"""Coalescing of small embedding requests: those that arrive together share one call to Triton."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from retriton_client import Embeddings, InvalidRequest, Role, ServerFault, Truncate
from retriton_pipeline.coalescing.coalescer import Coalescer

_CALLS_MAX = 2  # concurrent calls of one key, unless a call is full
_TEXTS_MAX = 64  # of a call; a full call is sent at once, and the lane limits how many wait there
_SMALL_TEXTS_MAX = 16  # larger requests gain nothing
_SMALL_CHARACTERS_MAX = 16_384  # longer texts would delay the others in their call


class Embedder(Protocol):
    """What sends the calls; an `AsyncClient`."""

    async def embed(
        self,
        texts: Sequence[str],
        role: Role,
        *,
        truncate: Truncate = "NONE",
        dimensions: int | None = None,
        fingerprint: str | None = None,
        caller: str | None = None,
    ) -> Embeddings:
        """See `AsyncClient.embed`."""


@dataclass(frozen=True)
class EmbeddingKey:
    """What requests have in common that may share a call; see `AsyncClient.embed`."""

    role: Role
    truncate: Truncate = "NONE"
    dimensions: int | None = None
    fingerprint: str | None = None
    caller: str | None = None


class CoalescingEmbedder:
    """Embeds texts of concurrent requests in shared calls.

    If a call fails because of one text, or of its vector, its requests are sent again one by one, so that only the
    request with that text fails.
    """

    def __init__(self, client: Embedder) -> None:
        self._client = client
        self._small: Coalescer[EmbeddingKey, str, Embeddings] = Coalescer(
            self._embed, _part, _TEXTS_MAX, _CALLS_MAX, (InvalidRequest, ServerFault)
        )

    async def embed(self, texts: Sequence[str], key: EmbeddingKey) -> Embeddings:
        """The vectors of ``texts``. Raises as `AsyncClient.embed`."""
        if len(texts) > _SMALL_TEXTS_MAX or sum(map(len, texts)) > _SMALL_CHARACTERS_MAX:
            return await self._embed(key, texts)
        return await self._small.submit(key, texts)

    async def _embed(self, key: EmbeddingKey, texts: Sequence[str]) -> Embeddings:
        return await self._client.embed(
            texts,
            key.role,
            truncate=key.truncate,
            dimensions=key.dimensions,
            fingerprint=key.fingerprint,
            caller=key.caller,
        )


def _part(found: Embeddings, own: slice) -> Embeddings:
    return Embeddings(found.vectors[own], found.tokens[own], found.tokens_dropped[own])
