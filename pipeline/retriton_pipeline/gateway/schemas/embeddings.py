"""Embeddings, as OpenAI and NVIDIA NIM define them."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import BaseModel, Discriminator, Field, Tag

from retriton_client import Embeddings, Role, Truncate
from retriton_pipeline.gateway.schemas.common import ONE_OR_MANY, TRUNCATE, RequestBody, Text, Usage, one_or_many

TEXTS_MAX = 2048  # as OpenAI
Texts = Annotated[list[Text], Field(min_length=1, max_length=TEXTS_MAX, fail_fast=True)]
OneOrManyTexts = Annotated[Annotated[Text, Tag("[one]")] | Annotated[Texts, Tag("[many]")], ONE_OR_MANY]
TokenId = Annotated[int, Field(ge=0, lt=2**31)]
TokenIds = Annotated[list[TokenId], Field(min_length=1, max_length=65536, fail_fast=True)]
_VALUES_PER_PART = 50_000  # about 5 ms
ManyTokenIds = Annotated[list[TokenIds], Field(min_length=1, max_length=TEXTS_MAX, fail_fast=True)]
EncodingFormat = Literal["float", "base64"]


def _shape(value: Any) -> str:
    """The tag of an input, by its first item."""
    first = value[0] if isinstance(value, list) and value else None
    if isinstance(first, list):
        return "[many ids]"
    return "[ids]" if isinstance(first, int) else one_or_many(value)


Input = Annotated[
    Annotated[Text, Tag("[one]")]
    | Annotated[Texts, Tag("[many]")]
    | Annotated[TokenIds, Tag("[ids]")]
    | Annotated[ManyTokenIds, Tag("[many ids]")],
    Discriminator(_shape),
]


class EmbeddingsRequest(RequestBody):
    """Texts to embed."""

    input: Input = Field(description="One or several texts, or token ids of the served tokenizer.")
    model: str = Field(description="A name from `GET /v1/models`; the suffix `-query` or `-passage` is the input_type.")
    input_type: Role | None = Field(None, description="The role of the texts, which selects prompt and lane.")
    truncate: Truncate | None = TRUNCATE
    encoding_format: EncodingFormat = "float"
    dimensions: int | None = Field(
        None, ge=1, le=65536, description="Number of leading values of each vector to return, normalised again."
    )
    user: str | None = None


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


async def embeddings_json(found: Embeddings, model: str, encoding_format: EncodingFormat) -> bytes:
    """An `EmbeddingsResponse` as JSON; numbers are serialised in native code, other requests run between the parts."""
    step = max(1, _VALUES_PER_PART // max(1, found.vectors.shape[1]))
    parts: list[bytes] = []
    for start in range(0, len(found.vectors), step):
        if parts:
            await asyncio.sleep(0)
        parts.append(_part(found.vectors[start : start + step], start, encoding_format))
    rest = {"model": model, "usage": Usage.of(int(found.tokens.sum()))}
    return b'{"object":"list","data":[' + b",".join(parts) + b"]," + orjson.dumps(rest)[1:]


def _part(vectors: NDArray[np.float32], first: int, encoding_format: EncodingFormat) -> bytes:
    values: Iterable[Any] = vectors
    if encoding_format == "base64":
        values = (base64.b64encode(vector.astype("<f4").tobytes()).decode() for vector in vectors)
    data = [{"object": "embedding", "index": index, "embedding": value} for index, value in enumerate(values, first)]
    return orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
