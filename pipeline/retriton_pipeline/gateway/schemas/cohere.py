"""Embeddings as Cohere defines them."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import uuid4

import orjson
from pydantic import AfterValidator, BaseModel, Field, WithJsonSchema

from retriton_client import Embeddings, Truncate
from retriton_pipeline.gateway.schemas.common import RequestBody
from retriton_pipeline.gateway.schemas.embeddings import DIMENSIONS, EmbeddingType, Texts
from retriton_pipeline.gateway.schemas.synonyms import LOWER, InputType, Side
from retriton_pipeline.gateway.schemas.vectors import VectorFormat, vectors_json

_TYPES_MAX = 16
EmbeddingTypes = Annotated[list[Annotated[EmbeddingType, LOWER]], Field(max_length=_TYPES_MAX)]


def _refused(value: Any) -> Any:
    if value != []:
        raise ValueError("it is not supported: send texts")
    return value


_Unsupported = Annotated[Any, AfterValidator(_refused), WithJsonSchema({"type": "array", "maxItems": 0})]


class CohereEmbedRequest(RequestBody):
    """Texts to embed."""

    images: _Unsupported | None = Field(None, description="Not supported.")
    inputs: _Unsupported | None = Field(None, description="Not supported.")
    texts: Texts
    model: str | None = Field(None, description="A name from `GET /v1/models`; may be left out.")
    input_type: InputType = Field(
        None, description="`search_query` is a query; the others are passages, which is what the encoder knows."
    )
    embedding_types: EmbeddingTypes | None = Field(None, description="Types of the vectors; the default is `float`.")
    truncate: Side = Field(None, description="For texts that are too long; `END` is the default, as for Cohere.")
    output_dimension: int | None = DIMENSIONS

    @property
    def side(self) -> Truncate:
        """Where long texts are truncated."""
        return self.truncate or "END"


class BilledUnits(BaseModel):
    """What the request cost."""

    input_tokens: int


class ApiVersion(BaseModel):
    """The version of Cohere's API."""

    version: str


class CohereMeta(BaseModel):
    """About the response."""

    api_version: ApiVersion
    billed_units: BilledUnits


class _CohereResponse(BaseModel):
    id: str
    texts: list[str]
    meta: CohereMeta


class CohereFloatsResponse(_CohereResponse):
    """Vectors in the order of the texts, in version 1 without `embedding_types`."""

    response_type: Literal["embeddings_floats"]
    embeddings: list[list[float]]


class CohereTypesResponse(_CohereResponse):
    """Vectors by type, each in the order of the texts."""

    response_type: Literal["embeddings_by_type"]
    embeddings: dict[EmbeddingType, list[list[float] | str]]


async def cohere_json(
    found: Embeddings, texts: list[str], types: list[EmbeddingType] | None, version: Literal["1", "2"]
) -> bytes:
    """A `CohereTypesResponse`; without ``types``, in version 1, a `CohereFloatsResponse`."""
    if not types and version == "1":
        kind, embeddings = "embeddings_floats", await vectors_json(found.vectors, VectorFormat())
    else:
        kind, embeddings = "embeddings_by_type", await _by_type(found, types or ["float"])
    meta = {"api_version": {"version": version}, "billed_units": {"input_tokens": int(found.tokens.sum())}}
    rest = {"id": uuid4().hex, "texts": texts, "response_type": kind, "meta": meta}
    return b'{"embeddings":' + embeddings + b"," + orjson.dumps(rest)[1:]


async def _by_type(found: Embeddings, types: list[EmbeddingType]) -> bytes:
    parts = []
    for kind in dict.fromkeys(types):
        written = VectorFormat(base64=True) if kind == "base64" else VectorFormat(kind)
        parts.append(orjson.dumps(kind) + b":" + await vectors_json(found.vectors, written))
    return b"{" + b",".join(parts) + b"}"
