"""Reranking, as NVIDIA NIM, text-embeddings-inference (``texts``) and Infinity, Cohere and Jina (``documents``)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from retriton_client import Truncate
from retriton_pipeline.gateway.schemas.common import RequestBody, Text, Usage

PASSAGES_MAX = 1024
Passages = Annotated[list[Text], Field(min_length=1, max_length=PASSAGES_MAX, fail_fast=True)]


class PassageText(BaseModel):
    """A text in NIM's format."""

    text: Text


class RankingRequest(BaseModel):
    """NIM's request."""

    model: str
    query: PassageText
    passages: Annotated[list[PassageText], Field(fail_fast=True)] = Field(min_length=1, max_length=PASSAGES_MAX)
    truncate: Truncate = "NONE"


class Ranking(BaseModel):
    """The index of a passage in the request, and its score."""

    index: int
    logit: float


class RankingResponse(BaseModel):
    """NIM's response, best first."""

    rankings: list[Ranking]
    model: str
    usage: Usage


class TextsRequest(RequestBody):
    """TEI's request."""

    query: Text
    texts: Passages
    raw_scores: bool = False
    return_text: bool = False
    truncate: bool = False
    truncation_direction: Literal["Left", "Right"] = "Right"


class TextScore(BaseModel):
    """An entry of TEI's response."""

    index: int
    score: float
    text: str | None = None


class DocumentsRequest(RequestBody):
    """Infinity's request, which is also that of Cohere and Jina."""

    query: Text
    documents: Passages
    model: str
    top_n: int | None = Field(None, ge=1)
    raw_scores: bool = False
    return_documents: bool = False


class DocumentText(BaseModel):
    """A document in the response."""

    text: str


class DocumentScore(BaseModel):
    """An entry of Infinity's response."""

    index: int
    relevance_score: float
    document: DocumentText | None = None


class DocumentsResponse(BaseModel):
    """Infinity's response, best first."""

    object: Literal["rerank"]
    results: list[DocumentScore]
    model: str
    usage: Usage
