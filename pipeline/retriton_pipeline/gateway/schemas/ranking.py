"""Reranking, as NVIDIA NIM, TEI (``texts``), and Infinity, Cohere, Jina and Voyage (``documents``)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, GetJsonSchemaHandler, Tag
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.schemas.common import TRUNCATE, Count, RequestBody, Text, TextObject, Usage
from retriton_pipeline.gateway.schemas.synonyms import Side
from retriton_pipeline.gateway.schemas.tei import TruncationOptions

PASSAGES_MAX = 1024
Passages = Annotated[list[Text], Field(min_length=1, max_length=PASSAGES_MAX, fail_fast=True)]


MODEL = Field(None, description="The cross-encoder's name; there is only one, so it may be left out.")


class RankingRequest(RequestBody):
    """NIM's request."""

    model: str | None = MODEL
    query: TextObject
    passages: Annotated[list[TextObject], Field(fail_fast=True)] = Field(min_length=1, max_length=PASSAGES_MAX)
    truncate: Side = TRUNCATE
    top_k: Count | None = Field(None, description="Only the best; not part of NIM, but LiteLLM 1.81 sends it.")


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


class DocumentObject(RequestBody):
    """A document of several fields, of which those in `rank_fields` are ranked."""

    model_config = ConfigDict(extra="allow")

    text: Text | None = None

    def ranked(self, fields: list[str], place: int) -> str:
        """The values of ``fields``, one a line. Raises `ApiError` if the document ``place`` has none of them."""
        found = self.model_dump(exclude_unset=True)
        values = "\n".join(str(found[name]) for name in fields if name in found)
        if not values.strip():
            name = f"documents.{place}.{fields[0]}"
            raise ApiError(400, "invalid_request", f"{name}: there is none of the fields that are ranked", name)
        return values


def _document_shape(value: Any) -> str:
    return "[object]" if isinstance(value, dict) else "[text]"


Document = Annotated[
    Annotated[Text, Tag("[text]")] | Annotated[DocumentObject, Tag("[object]")], Discriminator(_document_shape)
]
_FIELDS_MAX = 64
Fields = Annotated[list[str], Field(max_length=_FIELDS_MAX, fail_fast=True)]


class DocumentsRequest(RequestBody):
    """Infinity's request, which is also that of Cohere and Jina; theirs may have objects as documents."""

    query: Text
    documents: Annotated[list[Document], Field(fail_fast=True)] = Field(min_length=1, max_length=PASSAGES_MAX)
    model: str | None = MODEL
    top_n: Count | None = None
    raw_scores: bool = False
    return_documents: bool = False
    rank_fields: Fields | None = Field(None, description="Of documents that are objects; `text` is the default.")

    @property
    def texts(self) -> list[str]:
        """The texts of the documents. Raises `ApiError` if one has no field that is ranked."""
        fields = self.rank_fields or ["text"]
        return [
            document if isinstance(document, str) else document.ranked(fields, place)
            for place, document in enumerate(self.documents)
        ]

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The documents as they were sent, each as an object."""
        return [
            {"text": document} if isinstance(document, str) else document.model_dump(exclude_unset=True)
            for document in self.documents
        ]


class VoyageRequest(RequestBody):
    """Voyage's request; without `top_k` and `truncation` it is a `DocumentsRequest`."""

    query: Text
    documents: Passages
    model: str | None = MODEL
    top_k: Count | None = None
    truncation: bool = True
    return_documents: bool = False


def _shape(value: Any) -> str | None:
    """The tag of a body, by the fields that only one shape has."""
    if not isinstance(value, dict):
        return None
    shape = next((name for name in ("texts", "documents") if value.get(name) is not None), None)
    if shape == "documents" and "top_n" not in value and not value.keys().isdisjoint({"top_k", "truncation"}):
        return "[voyage]"
    return shape and f"[{shape}]"


class Overlapping:
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
    Overlapping(),
]


class DocumentScore(BaseModel):
    """An entry of the response; a document, where the request asks for it, is a text for Infinity."""

    index: int
    relevance_score: float
    document: dict[str, Any] | str = Field("", description="Only with `return_documents`.")


class SearchUnits(BaseModel):
    """What the request cost, in Cohere's units."""

    search_units: Literal[1] = 1


class RankedTokens(BaseModel):
    """Tokens, as Cohere counts them."""

    input_tokens: int
    output_tokens: Literal[0] = 0


class RankingMeta(BaseModel):
    """About the response, for Cohere's clients."""

    billed_units: SearchUnits = SearchUnits()
    tokens: RankedTokens


class DocumentsResponse(BaseModel):
    """The response to `DocumentsRequest`, best first."""

    id: str
    object: Literal["rerank"]
    results: list[DocumentScore]
    model: str
    usage: Usage
    meta: RankingMeta


class VoyageResponse(BaseModel):
    """The response to `VoyageRequest`, best first; documents are texts."""

    object: Literal["list"]
    data: list[DocumentScore]
    model: str
    usage: Usage
