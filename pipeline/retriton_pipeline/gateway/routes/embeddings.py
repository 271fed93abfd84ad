"""``POST /v1/embeddings``, as OpenAI, NVIDIA NIM, Voyage and Jina define it."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from retriton_pipeline.gateway.http.json_bodies import JsonRoute
from retriton_pipeline.gateway.http.serialized_json import SerializedJson
from retriton_pipeline.gateway.schemas.embeddings import EmbeddingsRequest, EmbeddingsResponse, embeddings_json
from retriton_pipeline.gateway.schemas.errors import error_responses
from retriton_pipeline.gateway.services.embedding import TextEmbedding
from retriton_pipeline.gateway.services.fields import Fields
from retriton_pipeline.gateway.services.token_ids import IDS_HEADER, texts_of
from retriton_pipeline.gateway.services.upstream import Upstream
from retriton_pipeline.gateway.settings import Settings

_TOKEN_IDS = {
    "name": IDS_HEADER,
    "in": "header",
    "description": "`own`, or the encoder's fingerprint: token ids are of its tokenizer.",
    "schema": {"type": "string"},
}


def router(settings: Settings, upstream: Upstream, embedding: TextEmbedding) -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["embeddings"], route_class=JsonRoute)

    @routes.post(
        "/v1/embeddings",
        response_model=EmbeddingsResponse,
        responses=error_responses(502),
        openapi_extra={"parameters": [_TOKEN_IDS]},
    )
    async def embeddings(request: EmbeddingsRequest, http: Request) -> Response:
        """Embed texts."""
        encoder = await upstream.encoder()
        texts = await texts_of(request.input, encoder, http.headers.get(IDS_HEADER), settings.token_ids)
        found = await embedding.embed(
            texts,
            request.role,
            model=request.model,
            truncate=request.side,
            dimensions=request.size,
            normalize=request.normalized,
            fields=Fields(dimensions="dimensions" if request.dimensions else "output_dimension"),
        )
        body = await embeddings_json(found, request.model or encoder.name, request.written)
        return SerializedJson(body)

    return routes
