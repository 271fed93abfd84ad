"""The API of NVIDIA's Retrieval QA playground: a result that takes long is fetched by the id of its request."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated

from fastapi import APIRouter, Header, Path, Request
from pydantic import WithJsonSchema
from starlette.responses import Response

from retriton_pipeline.coalescing import EmbeddingKey
from retriton_pipeline.gateway.fairness import current_caller
from retriton_pipeline.gateway.http.json_bodies import JsonRoute
from retriton_pipeline.gateway.schemas.embeddings import EmbeddingsResponse, embeddings_json
from retriton_pipeline.gateway.schemas.errors import error_responses
from retriton_pipeline.gateway.schemas.playground import PendingResponse, PlaygroundRequest
from retriton_pipeline.gateway.schemas.vectors import VectorFormat
from retriton_pipeline.gateway.services.models import resolve_role
from retriton_pipeline.gateway.services.pending_answers import PendingAnswers, Ticket
from retriton_pipeline.gateway.services.upstream import Upstream
from retriton_pipeline.gateway.settings import Settings

_POLL_S_MAX = 300  # as NVIDIA's
PollSeconds = Annotated[
    int | None,
    Header(alias="NVCF-POLL-SECONDS", ge=0, le=_POLL_S_MAX),
    WithJsonSchema({"type": "integer", "minimum": 0, "maximum": _POLL_S_MAX}),  # a header is never null
]
RequestId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
_RESPONSES = error_responses(502) | {202: {"model": PendingResponse}}


def router(settings: Settings, upstream: Upstream, pending: PendingAnswers) -> APIRouter:
    """Both routes. Every function id refers to the embedding model."""
    routes = APIRouter(tags=["playground"], prefix="/v2/nvcf/pexec", route_class=JsonRoute)

    @routes.post("/functions/{function_id}", response_model=EmbeddingsResponse, responses=_RESPONSES)
    async def invoke(
        function_id: str, body: PlaygroundRequest, request: Request, poll_seconds: PollSeconds = None
    ) -> Response:
        """Embed texts; 202 with `NVCF-REQID` if it takes longer than `NVCF-POLL-SECONDS`."""
        encoder = await upstream.encoder()
        role = resolve_role(body.model, None, encoder, settings.aliases, settings.input_type)
        texts = [body.input] if isinstance(body.input, str) else body.input

        async def embed() -> bytes:
            key = EmbeddingKey(role, body.truncate or settings.truncate, caller=current_caller())
            found = await upstream.embedder.embed(texts, key)
            return await embeddings_json(found, body.model, VectorFormat(base64=body.encoding_format == "base64"))

        size_bytes, wait_s = len(await request.body()), _wait_s(settings, poll_seconds)
        return await _response(pending.start(request.scope["key"], embed, size_bytes, wait_s))

    @routes.get("/status/{request_id}", response_model=EmbeddingsResponse, responses=_RESPONSES)
    async def status(request_id: RequestId, request: Request, poll_seconds: PollSeconds = None) -> Response:
        """The result of an earlier request, or 202 again."""
        return await _response(pending.fetch(request.scope["key"], request_id, _wait_s(settings, poll_seconds)))

    return routes


def _wait_s(settings: Settings, poll_seconds: int | None) -> float:
    wanted_s = settings.poll_after_s if poll_seconds is None else float(poll_seconds)
    return min(wanted_s, settings.timeout_s / 2)


async def _response(waiting: Awaitable[Ticket]) -> Response:
    ticket = await waiting
    headers = {"NVCF-REQID": ticket.id}
    if ticket.body is not None:
        return Response(ticket.body, 200, {**headers, "NVCF-STATUS": "fulfilled"}, "application/json")
    body = PendingResponse(status="pending-evaluation", reqId=ticket.id)
    return Response(body.model_dump_json(), 202, {**headers, "NVCF-STATUS": body.status}, "application/json")
