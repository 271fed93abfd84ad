"""``/v1/ranking`` (NVIDIA NIM), and ``/rerank`` (TEI with ``texts``; Infinity, Cohere and Jina with ``documents``)."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from retriton_client import Truncate
from retriton_pipeline.gateway.http.json_bodies import JsonRoute
from retriton_pipeline.gateway.schemas.common import Usage
from retriton_pipeline.gateway.schemas.errors import error_responses
from retriton_pipeline.gateway.schemas.ranking import (
    DocumentsRequest,
    DocumentsResponse,
    RankingRequest,
    RankingResponse,
    TextScore,
    TextsRequest,
)
from retriton_pipeline.gateway.services.reranking import Reranking, best_first


def router(reranking: Reranking) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["ranking"], route_class=JsonRoute)

    @routes.post("/v1/ranking", response_model=RankingResponse, responses=error_responses(502))
    async def ranking(request: RankingRequest) -> Response:
        """Order passages by their relevance to a query, as NIM."""
        texts = [passage.text for passage in request.passages]
        found = await reranking.rank(request.query.text, texts, request.truncate, request.model)
        rankings = [{"index": index, "logit": float(found.logits[index])} for index in best_first(found.logits)]
        return _json({"rankings": rankings, "model": request.model, "usage": Usage.of(found.tokens)})

    @routes.post("/rerank", response_model=list[TextScore] | DocumentsResponse, responses=error_responses(502))
    @routes.post("/v1/rerank", response_model=list[TextScore] | DocumentsResponse, responses=error_responses(502))
    async def rerank(request: TextsRequest | DocumentsRequest) -> Response:
        """Order texts by their relevance to a query, as TEI (`texts`) or Infinity, Cohere and Jina (`documents`)."""
        if isinstance(request, TextsRequest):
            return _json(await _rank_texts(reranking, request))
        return _json(await _rank_documents(reranking, request))

    return routes


async def _rank_texts(reranking: Reranking, request: TextsRequest) -> list[dict[str, Any]]:
    side: Truncate = "START" if request.truncation_direction == "Left" else "END"
    found = await reranking.rank(request.query, request.texts, side if request.truncate else "NONE")
    scores = found.scores(request.raw_scores)
    return [
        {"index": index, "score": float(scores[index]), "text": request.texts[index] if request.return_text else None}
        for index in best_first(scores)
    ]


async def _rank_documents(reranking: Reranking, request: DocumentsRequest) -> dict[str, Any]:
    found = await reranking.rank(request.query, request.documents, "END", request.model)
    scores = found.scores(request.raw_scores)
    results = [
        {
            "index": index,
            "relevance_score": float(scores[index]),
            "document": {"text": request.documents[index]} if request.return_documents else None,
        }
        for index in best_first(scores)[: request.top_n]
    ]
    return {"object": "rerank", "results": results, "model": request.model, "usage": Usage.of(found.tokens)}


def _json(body: Any) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")
