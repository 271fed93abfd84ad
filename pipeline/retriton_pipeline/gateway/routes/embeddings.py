"""``POST /v1/embeddings``, as OpenAI and NVIDIA NIM define it."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response
from tokenizers import Tokenizer

from retriton_client import Embeddings, EncoderInfo, Role, Truncate
from retriton_pipeline.gateway.http.errors import Refused, documented
from retriton_pipeline.gateway.schemas.common import Body, Text
from retriton_pipeline.gateway.services.coalescing import Kind
from retriton_pipeline.gateway.services.models import resolve_role
from retriton_pipeline.gateway.services.upstream import Served
from retriton_pipeline.gateway.settings import Settings

TEXTS_MAX = 2048  # as OpenAI
TokenId = Annotated[int, Field(ge=0, lt=2**31)]
TokenIds = Annotated[list[TokenId], Field(min_length=1, max_length=65536)]
EncodingFormat = Literal["float", "base64"]


class EmbeddingsRequest(Body):
    """What to embed."""

    input: (
        Text
        | Annotated[list[Text], Field(min_length=1, max_length=TEXTS_MAX)]
        | TokenIds
        | Annotated[list[TokenIds], Field(min_length=1, max_length=TEXTS_MAX)]
    ) = Field(description="One text or a list of them; or token ids of the served tokenizer, of one text or several.")
    model: str = Field(description="As `GET /v1/models` names it; `-query` or `-passage` behind it is the input_type.")
    input_type: Role | None = Field(None, description="What the texts are: it decides prefix and lane.")
    truncate: Truncate = Field("NONE", description="Of a text too long: refuse it, drop its START or its END.")
    encoding_format: EncodingFormat = "float"
    dimensions: int | None = Field(
        None, ge=1, le=65536, description="So many of each vector's first values, of length one again."
    )
    user: str | None = None


class Embedding(BaseModel):
    """One vector."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class Usage(BaseModel):
    """Tokens that were embedded, prefix and special tokens included."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingsAnswer(BaseModel):
    """Vectors in the order of the texts."""

    object: Literal["list"]
    data: list[Embedding]
    model: str
    usage: Usage


def router(settings: Settings, served: Served) -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["embeddings"])

    @routes.post("/v1/embeddings", response_model=EmbeddingsAnswer, responses=documented(502))
    async def embeddings(request: EmbeddingsRequest) -> Response:
        """Embed texts."""
        encoder = await served.encoder()
        role = resolve_role(request.model, request.input_type, encoder, settings.aliases, settings.input_type)
        texts = texts_of(request.input, encoder)
        found = await served.embed(texts, Kind(role, request.truncate, request.dimensions))
        return Response(as_json(found, request.model, request.encoding_format), media_type="application/json")

    return routes


def as_json(found: Embeddings, model: str, encoding_format: EncodingFormat) -> bytes:
    """The answer; numbers are encoded outside of Python."""
    tokens = int(found.tokens.sum())
    vectors: Iterable[Any] = found.vectors
    if encoding_format == "base64":
        vectors = (base64.b64encode(vector.astype("<f4").tobytes()).decode() for vector in found.vectors)
    answer = {
        "object": "list",
        "data": [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)],
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


def texts_of(given: str | list[str] | list[int] | list[list[int]], encoder: EncoderInfo) -> list[str]:
    """The texts that are meant.

    Raises:
        Refused: ids are not of the served tokenizer.
    """
    if isinstance(given, str):
        return [given]
    if isinstance(given[0], str):
        return [str(text) for text in given]
    many: Any = given if isinstance(given[0], list) else [given]
    tokenizer = _tokenizer(encoder)
    size = tokenizer.get_vocab_size()
    if (largest := max(map(max, many))) >= size:
        message = f"token id {largest} is not of the tokenizer of {encoder.name}, which has {size}: send text instead"
        raise Refused(400, "unknown_token", message, "input")
    texts: list[str] = tokenizer.decode_batch(many)
    return texts


_tokenizers: dict[str, Tokenizer] = {}


def _tokenizer(encoder: EncoderInfo) -> Tokenizer:
    if encoder.fingerprint not in _tokenizers:
        _tokenizers.clear()
        _tokenizers[encoder.fingerprint] = Tokenizer.from_str(encoder.tokenizer)
    return _tokenizers[encoder.fingerprint]
