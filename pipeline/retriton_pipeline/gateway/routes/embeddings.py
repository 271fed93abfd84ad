"""``POST /v1/embeddings``, as OpenAI and NVIDIA NIM define it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header
from pydantic import WithJsonSchema
from starlette.responses import Response

from retriton_pipeline.coalescing import EmbeddingKey
from retriton_pipeline.gateway.http.json_bodies import JsonRoute
from retriton_pipeline.gateway.schemas.embeddings import EmbeddingsRequest, EmbeddingsResponse, embeddings_json
from retriton_pipeline.gateway.schemas.errors import error_responses
from retriton_pipeline.gateway.services.models import resolve_role
from retriton_pipeline.gateway.services.token_ids import IDS_HEADER, texts_of
from retriton_pipeline.gateway.services.upstream import Upstream
from retriton_pipeline.gateway.settings import Settings

TokenIdsHeader = Annotated[
    str | None,
    Header(alias=IDS_HEADER, description="`own`, or the encoder's fingerprint: token ids are of its tokenizer."),
    WithJsonSchema({"type": "string"}),  # a header is never null
]


def router(settings: Settings, upstream: Upstream) -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["embeddings"], route_class=JsonRoute)

    @routes.post("/v1/embeddings", response_model=EmbeddingsResponse, responses=error_responses(502))
    async def embeddings(request: EmbeddingsRequest, token_ids: TokenIdsHeader = None) -> Response:
        """Embed texts."""
        encoder = await upstream.encoder()
        role = resolve_role(request.model, request.input_type, encoder, settings.aliases, settings.input_type)
        texts = await texts_of(request.input, encoder, token_ids, settings.token_ids)
        key = EmbeddingKey(role, request.truncate or settings.truncate, request.dimensions)
        found = await upstream.embedder.embed(texts, key)
        body = await embeddings_json(found, request.model, request.encoding_format)
        return Response(body, media_type="application/json")

    return routes
