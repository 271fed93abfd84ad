"""Reranking: ``/v1/ranking`` as NVIDIA NIM, ``/rerank`` as TEI (``texts``) and as Infinity (``documents``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
import orjson
from fastapi import APIRouter
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from starlette.responses import Response

from retriton_client import NotInstalled, RerankerInfo, Scores, Truncate
from retriton_pipeline.gateway.http.errors import documented
from retriton_pipeline.gateway.routes.embeddings import Usage
from retriton_pipeline.gateway.schemas.common import Body, Text
from retriton_pipeline.gateway.services.models import unknown_model
from retriton_pipeline.gateway.services.upstream import Served

PASSAGES_MAX = 1024
Passages = Annotated[list[Text], Field(min_length=1, max_length=PASSAGES_MAX)]
_SURE = 1.0 - 2.0**-24  # the largest float32 below one: its logit is the largest that a probability can have


class Passage(BaseModel):
    """A text, as NIM wraps it."""

    text: Text


class RankingRequest(BaseModel):
    """NIM's request."""

    model: str
    query: Passage
    passages: list[Passage] = Field(min_length=1, max_length=PASSAGES_MAX)
    truncate: Truncate = "NONE"


class Ranking(BaseModel):
    """A passage's place in the request, and its score."""

    index: int
    logit: float


class RankingAnswer(BaseModel):
    """NIM's answer, best first."""

    rankings: list[Ranking]
    model: str
    usage: Usage


class TextsRequest(Body):
    """TEI's request."""

    query: Text
    texts: Passages
    raw_scores: bool = False
    return_text: bool = False
    truncate: bool = False
    truncation_direction: Literal["Left", "Right"] = "Right"


class DocumentsRequest(Body):
    """Infinity's request, which is also Cohere's and Jina's."""

    query: Text
    documents: Passages
    model: str
    top_n: int | None = Field(None, ge=1)
    raw_scores: bool = False
    return_documents: bool = False


class TextScore(BaseModel):
    """An entry of TEI's answer."""

    index: int
    score: float
    text: str | None = None


class DocumentText(BaseModel):
    """A document in the answer."""

    text: str


class DocumentScore(BaseModel):
    """An entry of Infinity's answer."""

    index: int
    relevance_score: float
    document: DocumentText | None = None


class DocumentsAnswer(BaseModel):
    """Infinity's answer, best first."""

    object: Literal["rerank"]
    results: list[DocumentScore]
    model: str
    usage: Usage


def router(served: Served) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["ranking"])

    async def ranked(
        query: str, passages: Sequence[str], truncate: Truncate, model: str | None
    ) -> tuple[Scores, RerankerInfo]:
        reranker = await served.reranker()
        if reranker is None:
            raise NotInstalled("no cross-encoder")
        if model not in (None, reranker.name):
            raise unknown_model(str(model), [reranker.name])
        return await served.client.rerank(query, passages, truncate=truncate), reranker

    @routes.post("/v1/ranking", response_model=RankingAnswer, responses=documented(502))
    async def ranking(request: RankingRequest) -> Response:
        """Order passages by how well they fit a query, as NIM."""
        texts = [passage.text for passage in request.passages]
        found, reranker = await ranked(request.query.text, texts, request.truncate, request.model)
        logits = _logits(found.scores, reranker)
        rankings = [
            {"index": int(index), "logit": float(logits[index])} for index in np.argsort(-logits, kind="stable")
        ]
        return _json({"rankings": rankings, "model": request.model, "usage": _usage(found)})

    @routes.post("/rerank", response_model=list[TextScore] | DocumentsAnswer, responses=documented(502))
    @routes.post("/v1/rerank", response_model=list[TextScore] | DocumentsAnswer, responses=documented(502))
    async def rerank(request: TextsRequest | DocumentsRequest) -> Response:
        """Order texts by how well they fit a query, as TEI (`texts`) or as Infinity, Cohere and Jina (`documents`)."""
        if isinstance(request, TextsRequest):
            side: Truncate = "START" if request.truncation_direction == "Left" else "END"
            found, reranker = await ranked(request.query, request.texts, side if request.truncate else "NONE", None)
            return _json(_as_texts(request, _scores(found.scores, reranker, request.raw_scores)))
        found, reranker = await ranked(request.query, request.documents, "END", request.model)
        results = _as_documents(request, _scores(found.scores, reranker, request.raw_scores))
        return _json({"object": "rerank", "results": results, "model": request.model, "usage": _usage(found)})

    return routes


def _as_texts(request: TextsRequest, scores: NDArray[np.float32]) -> list[dict[str, Any]]:
    best = map(int, np.argsort(-scores, kind="stable"))
    return [
        {"index": index, "score": float(scores[index]), "text": request.texts[index] if request.return_text else None}
        for index in best
    ]


def _as_documents(request: DocumentsRequest, scores: NDArray[np.float32]) -> list[dict[str, Any]]:
    best = map(int, np.argsort(-scores, kind="stable")[: request.top_n])
    return [
        {
            "index": index,
            "relevance_score": float(scores[index]),
            "document": {"text": request.documents[index]} if request.return_documents else None,
        }
        for index in best
    ]


def _scores(scores: NDArray[np.float32], reranker: RerankerInfo, raw: bool) -> NDArray[np.float32]:
    """Values of the last layer, or probabilities, whichever the caller wants and whatever the model gives."""
    if raw:
        return _logits(scores, reranker)
    return scores if reranker.activation == "Sigmoid" else np.asarray(1.0 / (1.0 + np.exp(-scores)), np.float32)


def _logits(scores: NDArray[np.float32], reranker: RerankerInfo) -> NDArray[np.float32]:
    if reranker.activation != "Sigmoid":
        return scores
    probabilities = np.clip(scores.astype(np.float64), 1.0 - _SURE, _SURE)
    return np.asarray(np.log(probabilities) - np.log1p(-probabilities), np.float32)


def _usage(found: Scores) -> dict[str, int]:
    tokens = int(found.tokens.sum())
    return {"prompt_tokens": tokens, "total_tokens": tokens}


def _json(answer: Any) -> Response:
    return Response(orjson.dumps(answer), media_type="application/json")
