"""Embeddings, as OpenAI and NVIDIA NIM define them."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, Field

from retriton_client import Embeddings, Role, Truncate
from retriton_pipeline.gateway.schemas.common import RequestBody, Text, Usage

TEXTS_MAX = 2048  # as OpenAI
Texts = Annotated[list[Text], Field(min_length=1, max_length=TEXTS_MAX)]
TokenId = Annotated[int, Field(ge=0, lt=2**31)]
TokenIds = Annotated[list[TokenId], Field(min_length=1, max_length=65536)]
EncodingFormat = Literal["float", "base64"]


class EmbeddingsRequest(RequestBody):
    """Texts to embed."""

    input: Text | Texts | TokenIds | Annotated[list[TokenIds], Field(min_length=1, max_length=TEXTS_MAX)] = Field(
        description="One or several texts, or token ids of the served tokenizer."
    )
    model: str = Field(description="A name from `GET /v1/models`; the suffix `-query` or `-passage` is the input_type.")
    input_type: Role | None = Field(None, description="The role of the texts, which selects prompt and lane.")
    truncate: Truncate = Field("NONE", description="For texts that are too long: reject, or drop the START or the END.")
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


def embeddings_json(found: Embeddings, model: str, encoding_format: EncodingFormat) -> bytes:
    """An `EmbeddingsResponse` as JSON; numbers are serialised in native code."""
    vectors: Iterable[Any] = found.vectors
    if encoding_format == "base64":
        vectors = (base64.b64encode(vector.astype("<f4").tobytes()).decode() for vector in found.vectors)
    body = {
        "object": "list",
        "data": [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)],
        "model": model,
        "usage": Usage.of(int(found.tokens.sum())),
    }
    return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
