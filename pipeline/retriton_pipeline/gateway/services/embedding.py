"""Embeds the texts of a request, in the role that the request or the gateway gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from retriton_client import Embeddings, Role, Truncate
from retriton_pipeline.coalescing import EmbeddingKey
from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.fairness import current_caller
from retriton_pipeline.gateway.services.fields import Fields, named
from retriton_pipeline.gateway.services.models import resolve_role
from retriton_pipeline.gateway.services.upstream import Upstream
from retriton_pipeline.gateway.settings import Settings
from retriton_pipeline.vectors import unit

_FIELDS = Fields()


class TextEmbedding:
    """Embeds texts with the served encoder.

    Args:
        upstream: the server.
        settings: of the gateway.
    """

    def __init__(self, upstream: Upstream, settings: Settings) -> None:
        self._upstream = upstream
        self._settings = settings

    async def embed(
        self,
        texts: Sequence[str],
        role: Role | None,
        *,
        model: str | None = None,
        truncate: Truncate | None = None,
        dimensions: int | None = None,
        normalize: bool = False,
        fields: Fields = _FIELDS,
    ) -> Embeddings:
        """The vectors of ``texts``.

        Args:
            texts: at least one.
            role: that of the request.
            model: see `resolve_role`; None is the served encoder.
            truncate: of texts that are too long; None is the gateway's default.
            dimensions: number of leading values of each vector to return.
            normalize: scales vectors to length one, if the encoder does not.
            fields: of the request, for errors.

        Raises:
            ApiError: see `resolve_role`; or a text is too long, or there are fewer dimensions.
            RetritonError: see `AsyncClient.embed`.
        """
        encoder = await self._upstream.encoder()
        aliases, default = self._settings.aliases, self._settings.input_type
        resolved = resolve_role(model or encoder.name, role, encoder, aliases, default, fields.role)
        if dimensions is not None and dimensions > encoder.dimension:
            message = f"{fields.dimensions} is {dimensions}, it can be 1 to {encoder.dimension}"
            raise ApiError(400, "invalid_request", message, fields.dimensions)
        key = EmbeddingKey(resolved, truncate or self._settings.truncate, dimensions, caller=current_caller())
        with named(fields):
            found = await self._upstream.embedder.embed(texts, key)
        return replace(found, vectors=unit(found.vectors)) if normalize and not encoder.normalized else found
