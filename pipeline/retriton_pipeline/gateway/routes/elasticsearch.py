"""``/_inference``, as Elasticsearch's inference service defines it, for embeddings and rankings."""

from __future__ import annotations

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from retriton_pipeline.gateway.http.json_bodies import JsonRoute
from retriton_pipeline.gateway.http.serialized_json import SerializedJson
from retriton_pipeline.gateway.schemas.elasticsearch import (
    InferenceRequest,
    RerankRequest,
    RerankResponse,
    TextEmbeddingRequest,
    TextEmbeddingResponse,
)
from retriton_pipeline.gateway.schemas.errors import error_responses
from retriton_pipeline.gateway.schemas.vectors import VectorFormat, vectors_json
from retriton_pipeline.gateway.services.embedding import TextEmbedding
from retriton_pipeline.gateway.services.reranking import Reranking, best_first

_HEADERS = {
    "X-Elastic-Product": "Elasticsearch"
}  # clients refuse a response without: it states the API, not the server


def router(embedding: TextEmbedding, reranking: Reranking) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["embeddings", "ranking"], route_class=JsonRoute)

    @routes.post(
        "/_inference/text_embedding/{inference_id:path}",
        response_model=TextEmbeddingResponse,
        responses=error_responses(502),
    )
    async def text_embedding(inference_id: str, request: TextEmbeddingRequest) -> Response:
        """Embed texts; the inference id is a name of the embedding model."""
        found = await embedding.embed(request.texts, request.role, model=inference_id, truncate="END")
        entries = await vectors_json(found.vectors, VectorFormat(), lambda _, vector: {"embedding": vector})
        return SerializedJson(b'{"text_embedding":' + entries + b"}", headers=_HEADERS)

    @routes.post(
        "/_inference/rerank/{inference_id:path}", response_model=RerankResponse, responses=error_responses(502)
    )
    async def rerank(inference_id: str, request: RerankRequest) -> Response:
        """Order texts by their relevance to a query; the inference id is the name of the cross-encoder."""
        texts = request.texts
        scores = (await reranking.rank(request.query, texts, "END", inference_id)).scores(raw=False)
        ranked = [
            {"index": index, "relevance_score": float(scores[index])}
            | ({"text": texts[index]} if request.has_texts else {})
            for index in best_first(scores)[: request.count]
        ]
        return SerializedJson(orjson.dumps({"rerank": ranked}), headers=_HEADERS)

    @routes.post(
        "/_inference/{inference_id}",
        response_model=TextEmbeddingResponse | RerankResponse,
        responses=error_responses(502),
    )
    async def infer(inference_id: str, request: InferenceRequest) -> Response:
        """Order texts, if there is a query, or embed them."""
        if isinstance(request, RerankRequest):
            return await rerank(inference_id, request)
        return await text_embedding(inference_id, request)

    return routes
