"""``/v1/embed`` and ``/v2/embed``, as Cohere defines them."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from starlette.responses import Response

from retriton_pipeline.gateway.http.json_bodies import JsonRoute
from retriton_pipeline.gateway.http.serialized_json import SerializedJson
from retriton_pipeline.gateway.schemas.cohere import (
    CohereEmbedRequest,
    CohereFloatsResponse,
    CohereTypesResponse,
    cohere_json,
)
from retriton_pipeline.gateway.schemas.errors import error_responses
from retriton_pipeline.gateway.schemas.synonyms import role_of
from retriton_pipeline.gateway.services.embedding import TextEmbedding
from retriton_pipeline.gateway.services.fields import Fields

_FIELDS = Fields(texts="texts", dimensions="output_dimension")


def router(embedding: TextEmbedding) -> APIRouter:
    """Both routes."""
    routes = APIRouter(tags=["embeddings"], route_class=JsonRoute)

    @routes.post("/v1/embed", response_model=CohereFloatsResponse | CohereTypesResponse, responses=error_responses(502))
    async def embed_v1(request: CohereEmbedRequest) -> Response:
        """Embed texts, as version 1 of Cohere's API."""
        return await _embedded(embedding, request, "1")

    @routes.post("/v2/embed", response_model=CohereTypesResponse, responses=error_responses(502))
    async def embed_v2(request: CohereEmbedRequest) -> Response:
        """Embed texts, as version 2 of Cohere's API."""
        return await _embedded(embedding, request, "2")

    return routes


async def _embedded(embedding: TextEmbedding, request: CohereEmbedRequest, version: Literal["1", "2"]) -> Response:
    found = await embedding.embed(
        request.texts,
        role_of(request.input_type),
        model=request.model,
        truncate=request.side,
        dimensions=request.output_dimension,
        fields=_FIELDS,
    )
    return SerializedJson(await cohere_json(found, request.texts, request.embedding_types, version))
