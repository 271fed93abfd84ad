"""The API of NVIDIA's Retrieval QA playground: an answer that takes long is fetched under an id."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Request
from pydantic import BaseModel, Field, WithJsonSchema
from starlette.responses import Response

from retriton_client import Truncate
from retriton_pipeline.gateway.http.errors import documented
from retriton_pipeline.gateway.routes.embeddings import TEXTS_MAX, EmbeddingsAnswer, EncodingFormat, as_json
from retriton_pipeline.gateway.schemas.common import Text
from retriton_pipeline.gateway.services.coalescing import Kind
from retriton_pipeline.gateway.services.models import resolve_role
from retriton_pipeline.gateway.services.pending_answers import Pending, Ticket
from retriton_pipeline.gateway.services.upstream import Served
from retriton_pipeline.gateway.settings import Settings

_POLL_S_MAX = 300  # as NVIDIA's
PollSeconds = Annotated[
    int | None,
    Header(alias="NVCF-POLL-SECONDS", ge=0, le=_POLL_S_MAX),
    WithJsonSchema({"type": "integer", "minimum": 0, "maximum": _POLL_S_MAX}),  # a header is never null
]
RequestId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


class PlaygroundRequest(BaseModel):
    """What to embed, and as what."""

    input: Text | Annotated[list[Text], Field(min_length=1, max_length=TEXTS_MAX)]
    model: str = Field(description="`query` or `passage`.")
    encoding_format: EncodingFormat = "float"
    truncate: Truncate = "NONE"


class PendingAnswer(BaseModel):
    """The answer is not there yet."""

    status: Literal["pending-evaluation"]
    reqId: str  # noqa: N815 - NVIDIA's spelling


_ANSWERS = documented(502) | {202: {"model": PendingAnswer}}


def router(settings: Settings, served: Served, pending: Pending) -> APIRouter:
    """Both routes; any function id stands for the embedding model."""
    routes = APIRouter(tags=["playground"], prefix="/v2/nvcf/pexec")

    @routes.post("/functions/{function_id}", response_model=EmbeddingsAnswer, responses=_ANSWERS)
    async def invoke(
        function_id: str, asked: PlaygroundRequest, request: Request, poll_seconds: PollSeconds = None
    ) -> Response:
        """Embed texts; 202 with `NVCF-REQID` if it takes longer than `NVCF-POLL-SECONDS`."""
        encoder = await served.encoder()
        role = resolve_role(asked.model, None, encoder, settings.aliases, settings.input_type)
        texts = [asked.input] if isinstance(asked.input, str) else asked.input

        async def work() -> bytes:
            found = await served.embed(texts, Kind(role, asked.truncate, None))
            return as_json(found, asked.model, asked.encoding_format)

        size_bytes = len(await request.body())
        return await _answer(pending.begin(request.scope["key"], work, size_bytes, _wait_s(settings, poll_seconds)))

    @routes.get("/status/{request_id}", response_model=EmbeddingsAnswer, responses=_ANSWERS)
    async def status(request_id: RequestId, request: Request, poll_seconds: PollSeconds = None) -> Response:
        """The answer to an earlier request, or 202 again."""
        return await _answer(pending.fetch(request.scope["key"], request_id, _wait_s(settings, poll_seconds)))

    return routes


def _wait_s(settings: Settings, poll_seconds: int | None) -> float:
    wanted = settings.poll_after_s if poll_seconds is None else float(poll_seconds)
    return min(wanted, settings.timeout_s / 2)


async def _answer(waiting: Awaitable[Ticket]) -> Response:
    ticket = await waiting
    headers = {"NVCF-REQID": ticket.id}
    if ticket.body is not None:
        return Response(ticket.body, 200, {**headers, "NVCF-STATUS": "fulfilled"}, "application/json")
    answer = PendingAnswer(status="pending-evaluation", reqId=ticket.id)
    return Response(answer.model_dump_json(), 202, {**headers, "NVCF-STATUS": answer.status}, "application/json")
