"""Embeddings, as OpenAI, NVIDIA NIM, Voyage and Jina define them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, Discriminator, Field, Tag

from retriton_client import Embeddings, Role, Truncate
from retriton_pipeline.gateway.schemas.common import (
    ONE_OR_MANY,
    TRUNCATE,
    RequestBody,
    Text,
    TextObject,
    Usage,
    one_or_many,
)
from retriton_pipeline.gateway.schemas.synonyms import LOWER, BooleanOrSide, InputType, agreed, role_of, side_of
from retriton_pipeline.gateway.schemas.vectors import VectorFormat, vectors_json
from retriton_pipeline.gateway.services.vectors import VectorType

TEXTS_MAX = 2048  # as OpenAI


def _item_shape(value: Any) -> str:
    return "[object]" if isinstance(value, dict) else "[text]"


Texts = Annotated[list[Text], Field(min_length=1, max_length=TEXTS_MAX, fail_fast=True)]
OneOrManyTexts = Annotated[Annotated[Text, Tag("[one]")] | Annotated[Texts, Tag("[many]")], ONE_OR_MANY]
TokenId = Annotated[int, Field(ge=0, lt=2**31)]
TokenIds = Annotated[list[TokenId], Field(min_length=1, max_length=65536, fail_fast=True)]
ManyTokenIds = Annotated[list[TokenIds], Field(min_length=1, max_length=TEXTS_MAX, fail_fast=True)]
_Item = Annotated[Annotated[Text, Tag("[text]")] | Annotated[TextObject, Tag("[object]")], Discriminator(_item_shape)]
TextObjects = Annotated[list[_Item], Field(min_length=1, max_length=TEXTS_MAX, fail_fast=True)]
EncodingFormat = Annotated[Literal["float", "base64"] | None, LOWER]
EmbeddingType = Literal["float", "int8", "uint8", "binary", "ubinary", "base64"]
DIMENSIONS = Field(
    None, ge=1, le=65536, description="Number of leading values of each vector to return, normalised again."
)


def _shape(value: Any) -> str:
    """The tag of an input, by its first item; texts and objects may be mixed, as for Jina."""
    first = value[0] if isinstance(value, list) and value else None
    if isinstance(first, list):
        return "[many ids]"
    if isinstance(first, int):
        return "[ids]"
    return "[objects]" if first is not None and any(isinstance(item, dict) for item in value) else one_or_many(value)


Input = Annotated[
    Annotated[Text, Tag("[one]")]
    | Annotated[Texts, Tag("[many]")]
    | Annotated[TextObjects, Tag("[objects]")]
    | Annotated[TokenIds, Tag("[ids]")]
    | Annotated[ManyTokenIds, Tag("[many ids]")],
    Discriminator(_shape),
]


class EmbeddingsRequest(RequestBody):
    """Texts to embed."""

    input: Input = Field(description="One or several texts, also as objects; or token ids of the served tokenizer.")
    model: str | None = Field(
        None, description="A name from `GET /v1/models`; the suffix `-query` or `-passage` is the input_type."
    )
    input_type: InputType = Field(None, description="The role of the texts, which selects prompt and lane.")
    task: InputType = Field(None, description="Jina's `input_type`.")
    truncate: BooleanOrSide | None = TRUNCATE
    truncation: bool | None = Field(None, description="Voyage's `truncate`; true is `END`.")
    encoding_format: EncodingFormat = Field(None, description="`float` is the default.")
    output_dtype: Annotated[VectorType | None, LOWER] = Field(None, description="The type of the vectors; Voyage's.")
    embedding_type: Annotated[EmbeddingType | None, LOWER] = Field(None, description="The type of the vectors; Jina's.")
    dimensions: int | None = DIMENSIONS
    output_dimension: int | None = Field(None, ge=1, le=65536, description="Voyage's `dimensions`.")
    normalized: bool = Field(False, description="Scales vectors to length one, if the encoder does not; Jina's.")
    late_chunking: Literal[False] = Field(False, description="Jina's; there is none.")
    user: Any = Field(None, description="Ignored.")

    @property
    def role(self) -> Role | None:
        """The role of the texts. Raises `ApiError` if fields contradict each other, as those below."""
        return agreed(input_type=role_of(self.input_type), task=role_of(self.task))

    @property
    def side(self) -> Truncate | None:
        """Where long texts are truncated; None if the request does not say whether."""
        return agreed(truncate=side_of(self.truncate), truncation=side_of(self.truncation))

    @property
    def size(self) -> int | None:
        """Number of leading values to return; None for all."""
        return agreed(dimensions=self.dimensions, output_dimension=self.output_dimension)

    @property
    def written(self) -> VectorFormat:
        """How vectors are written."""
        named = None if self.embedding_type == "base64" else self.embedding_type
        kind: VectorType | None = agreed(output_dtype=self.output_dtype, embedding_type=named)
        return VectorFormat(kind or "float", "base64" in (self.encoding_format, self.embedding_type))


class Embedding(BaseModel):
    """One vector."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class EmbeddingsResponse(BaseModel):
    """Vectors in the order of the texts."""

    object: Literal["list"]
    data: list[Embedding]
    model: str
    usage: Usage


async def embeddings_json(found: Embeddings, model: str, written: VectorFormat) -> bytes:
    """An `EmbeddingsResponse` as JSON."""
    data = await vectors_json(found.vectors, written, _entry)
    rest = {"model": model, "usage": Usage.of(int(found.tokens.sum()))}
    return b'{"object":"list","data":' + data + b"," + orjson.dumps(rest)[1:]


def _entry(index: int, value: Any) -> dict[str, Any]:
    return {"object": "embedding", "index": index, "embedding": value}
