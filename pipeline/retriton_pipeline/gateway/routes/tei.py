"""``/embed``, ``/tokenize`` and ``/info``, as text-embeddings-inference (TEI) defines them."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import APIRouter
from starlette.responses import Response

from retriton_pipeline.gateway.http.json_bodies import JsonRoute
from retriton_pipeline.gateway.http.serialized_json import SerializedJson
from retriton_pipeline.gateway.schemas.errors import error_responses
from retriton_pipeline.gateway.schemas.synonyms import role_of
from retriton_pipeline.gateway.schemas.tei import EmbedRequest, EncoderDescription, Token, TokenizeRequest
from retriton_pipeline.gateway.schemas.vectors import VectorFormat, vectors_json
from retriton_pipeline.gateway.services.embedding import TextEmbedding
from retriton_pipeline.gateway.services.fields import Fields
from retriton_pipeline.gateway.services.tokenization import tokens_json
from retriton_pipeline.gateway.services.upstream import Upstream
from retriton_pipeline.gateway.settings import Settings

_FIELDS = Fields(texts="inputs", role="prompt_name")


def router(settings: Settings, upstream: Upstream, embedding: TextEmbedding) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["embeddings"], route_class=JsonRoute)

    @routes.post("/embed", response_model=list[list[float]], responses=error_responses(502))
    async def embed(request: EmbedRequest) -> Response:
        """Embed texts."""
        found = await embedding.embed(
            _listed(request.inputs),
            role_of(request.prompt_name),
            truncate=request.side,
            dimensions=request.dimensions,
            normalize=request.normalize,
            fields=_FIELDS,
        )
        return SerializedJson(await vectors_json(found.vectors, VectorFormat()))

    @routes.post("/tokenize", response_model=list[list[Token]], responses=error_responses(502))
    async def tokenize(request: TokenizeRequest) -> Response:
        """Split texts into the tokens of the encoder."""
        texts, role = _listed(request.inputs), role_of(request.prompt_name)
        return SerializedJson(await tokens_json(texts, await upstream.encoder(), role, request.add_special_tokens))

    @routes.get("/info", responses=error_responses(502))
    async def info() -> EncoderDescription:
        """The served encoder."""
        requests = settings.bounds.requests
        return EncoderDescription.of(await upstream.encoder(), settings.truncate, requests, version("retriton"))

    return routes


def _listed(inputs: str | list[str]) -> list[str]:
    return [inputs] if isinstance(inputs, str) else inputs
