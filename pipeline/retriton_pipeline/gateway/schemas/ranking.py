"""Reranking, as NVIDIA NIM, TEI (``texts``), and Infinity, Cohere, Jina and Voyage (``documents``)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, GetJsonSchemaHandler, Tag
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from retriton_client import Truncate
from retriton_pipeline.gateway.schemas.common import TRUNCATE, RequestBody, Text, TextObject, Usage
from retriton_pipeline.gateway.schemas.tei import TruncationOptions

PASSAGES_MAX = 1024
Passages = Annotated[list[Text], Field(min_length=1, max_length=PASSAGES_MAX, fail_fast=True)]


MODEL = Field(None, description="The cross-encoder's name; there is only one, so it may be left out.")


class RankingRequest(RequestBody):
    """NIM's request."""

    model: str | None = MODEL
    query: TextObject
    passages: Annotated[list[TextObject], Field(fail_fast=True)] = Field(min_length=1, max_length=PASSAGES_MAX)
    truncate: Truncate | None = TRUNCATE
    top_k: int | None = Field(None, ge=1, description="Only the best; not part of NIM, but LiteLLM 1.81 sends it.")


class Ranking(BaseModel):
    """The index of a passage in the request, and its score."""

    index: int
    logit: float


class RankingResponse(BaseModel):
    """NIM's response, best first."""

    rankings: list[Ranking]
    model: str
    usage: Usage


class TextsRequest(TruncationOptions):
    """TEI's request."""

    query: Text
    texts: Passages
    raw_scores: bool = False
    return_text: bool = False


class TextScore(BaseModel):
    """An entry of TEI's response."""

    index: int
    score: float
    text: str = Field("", description="Only with `return_text`.")


def _document_shape(value: Any) -> str:
    return "[object]" if isinstance(value, dict) else "[text]"


Document = Annotated[
    Annotated[Text, Tag("[text]")] | Annotated[TextObject, Tag("[object]")], Discriminator(_document_shape)
]


class DocumentsRequest(RequestBody):
    """Infinity's request, which is also that of Cohere and Jina; theirs may have objects as documents."""

    query: Text
    documents: Annotated[list[Document], Field(fail_fast=True)] = Field(min_length=1, max_length=PASSAGES_MAX)
    model: str | None = MODEL
    top_n: int | None = Field(None, ge=1)
    raw_scores: bool = False
    return_documents: bool = False

    @property
    def texts(self) -> list[str]:
        """The texts of the documents."""
        return [document if isinstance(document, str) else document.text for document in self.documents]


class VoyageRequest(RequestBody):
    """Voyage's request; without `top_k` and `truncation` it is a `DocumentsRequest`."""

    query: Text
    documents: Passages
    model: str | None = MODEL
    top_k: int | None = Field(None, ge=1)
    truncation: bool = True
    return_documents: bool = False


def _shape(value: Any) -> str | None:
    """The tag of a body, by the fields that only one shape has."""
    if not isinstance(value, dict):
        return None
    if "documents" in value and not value.keys().isdisjoint({"top_k", "truncation"}):
        return "[voyage]"
    return next((f"[{name}]" for name in ("texts", "documents") if name in value), None)


class _Overlapping:
    """Documents shapes of which a body may have several as ``anyOf``; pydantic takes ``oneOf`` for a discriminator."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        return {"anyOf": schema.pop("oneOf"), **schema}


RerankRequest = Annotated[
    Annotated[TextsRequest, Tag("[texts]")]
    | Annotated[VoyageRequest, Tag("[voyage]")]
    | Annotated[DocumentsRequest, Tag("[documents]")],
    Discriminator(
        _shape,
        custom_error_type="shape_missing",
        custom_error_message="it needs texts (as TEI) or documents (as Infinity, Cohere, Jina and Voyage)",
    ),
    _Overlapping(),
]


class DocumentText(BaseModel):
    """A document in the response."""

    text: str


class DocumentScore(BaseModel):
    """An entry of the response; a document, where the request asks for it, is a text for Infinity."""

    index: int
    relevance_score: float
    document: DocumentText | str = Field("", description="Only with `return_documents`.")


class DocumentsResponse(BaseModel):
    """The response to `DocumentsRequest`, best first."""

    object: Literal["rerank"]
    results: list[DocumentScore]
    model: str
    usage: Usage


class VoyageResponse(BaseModel):
    """The response to `VoyageRequest`, best first; documents are texts."""

    object: Literal["list"]
    data: list[DocumentScore]
    model: str
    usage: Usage
