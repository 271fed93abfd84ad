"""``/v1/ranking`` (NIM), and ``/rerank`` (TEI with ``texts``; Infinity, Cohere, Jina and Voyage with ``documents``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import numpy as np
import orjson
from fastapi import APIRouter
from numpy.typing import NDArray
from starlette.responses import Response

from retriton_pipeline.gateway.http.json_bodies import JsonRoute
from retriton_pipeline.gateway.http.serialized_json import SerializedJson
from retriton_pipeline.gateway.schemas.common import Usage
from retriton_pipeline.gateway.schemas.errors import error_responses
from retriton_pipeline.gateway.schemas.ranking import (
    DocumentsRequest,
    DocumentsResponse,
    RankedTokens,
    RankingMeta,
    RankingRequest,
    RankingResponse,
    RerankRequest,
    TextScore,
    TextsRequest,
    VoyageRequest,
    VoyageResponse,
)
from retriton_pipeline.gateway.schemas.synonyms import side_of
from retriton_pipeline.gateway.services.fields import Fields
from retriton_pipeline.gateway.services.reranking import Reranking, best_first

_DOCUMENTS = Fields(texts="documents")


def router(reranking: Reranking) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["ranking"], route_class=JsonRoute)
    described: dict[str, Any] = {
        "response_model": list[TextScore] | DocumentsResponse | VoyageResponse,
        "responses": error_responses(502),
    }

    @routes.post("/v1/ranking", response_model=RankingResponse, responses=error_responses(502))
    async def ranking(request: RankingRequest) -> Response:
        """Order passages by their relevance to a query, as NIM."""
        texts = [passage.text for passage in request.passages]
        fields = Fields(texts="passages")
        found = await reranking.rank(request.query.text, texts, request.truncate, request.model, fields)
        best = best_first(found.logits)[: request.top_k]
        rankings = [{"index": index, "logit": float(found.logits[index])} for index in best]
        return _json({"rankings": rankings, "model": request.model or found.model, "usage": Usage.of(found.tokens)})

    @routes.post("/rerank", **described)
    async def rerank(request: RerankRequest) -> Response:
        """Order texts by their relevance to a query, as TEI (`texts`) or Infinity (`documents`)."""
        return _json(await _ranked(reranking, request))

    @routes.post("/v1/rerank", **described)
    @routes.post("/v2/rerank", **described)
    async def rerank_objects(request: RerankRequest) -> Response:
        """Order texts by their relevance to a query, as TEI (`texts`) or Cohere, Jina and Voyage (`documents`)."""
        return _json(await _ranked(reranking, request, has_objects=True))

    return routes


async def _ranked(
    reranking: Reranking, request: TextsRequest | DocumentsRequest | VoyageRequest, *, has_objects: bool = False
) -> list[dict[str, Any]] | dict[str, Any]:
    """The response; returned documents are texts, or with ``has_objects`` objects."""
    if isinstance(request, TextsRequest):
        return await _rank_texts(reranking, request)
    if isinstance(request, VoyageRequest):
        return await _rank_as_voyage(reranking, request)
    return await _rank_documents(reranking, request, has_objects)


async def _rank_texts(reranking: Reranking, request: TextsRequest) -> list[dict[str, Any]]:
    found = await reranking.rank(request.query, request.texts, request.side, fields=Fields(texts="texts"))
    scores = found.scores(request.raw_scores)
    return [
        {"index": index, "score": float(scores[index])}
        | ({"text": request.texts[index]} if request.return_text else {})
        for index in best_first(scores)
    ]


async def _rank_documents(reranking: Reranking, request: DocumentsRequest, has_objects: bool) -> dict[str, Any]:
    texts = request.texts
    found = await reranking.rank(request.query, texts, "END", request.model, _DOCUMENTS)
    returned: Sequence[Any] = request.objects if has_objects else texts
    results = _results(found.scores(request.raw_scores), request.top_n, returned if request.return_documents else [])
    return {
        "id": uuid4().hex,
        "object": "rerank",
        "results": results,
        "model": request.model or found.model,
        "usage": Usage.of(found.tokens),
        "meta": RankingMeta(tokens=RankedTokens(input_tokens=found.tokens)).model_dump(),
    }


async def _rank_as_voyage(reranking: Reranking, request: VoyageRequest) -> dict[str, Any]:
    side = side_of(request.truncation)
    found = await reranking.rank(request.query, request.documents, side, request.model, _DOCUMENTS)
    shown = request.documents if request.return_documents else []
    results = _results(found.scores(raw=False), request.top_k, shown)
    return {"object": "list", "data": results, "model": request.model or found.model, "usage": Usage.of(found.tokens)}


def _results(scores: NDArray[np.float32], count: int | None, documents: Sequence[Any]) -> list[dict[str, Any]]:
    """The ``count`` best, best first; with their document, if there are ``documents``."""
    return [
        {"index": index, "relevance_score": float(scores[index])}
        | ({"document": documents[index]} if documents else {})
        for index in best_first(scores)[:count]
    ]


def _json(body: Any) -> Response:
    return SerializedJson(orjson.dumps(body))
