"""``POST /v1/retrieve``: a question to passages, and to the prompt that an LLM would get."""

from __future__ import annotations

import orjson
from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from retriton_pipeline.gateway.http.errors import documented
from retriton_pipeline.gateway.schemas.common import Text
from retriton_pipeline.gateway.services.question_answering import Asked, Asking, Messages, PassageAnswer, numbered


class RetrieveRequest(Asked):
    """A question, and how to look for passages."""

    query: Text
    history: Messages = Field(default_factory=list)
    include_prompt: bool = False


class RetrieveAnswer(BaseModel):
    """The passages that find room in the prompt, best first, and where the milliseconds went."""

    query: str
    passages: list[PassageAnswer]
    prompt: str | None
    tokens_dropped: int
    latency_ms: dict[str, float]


def router(asking: Asking) -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["retrieval"])

    @routes.post("/v1/retrieve", response_model=RetrieveAnswer, responses=documented(409, 502))
    async def retrieve(request: RetrieveRequest) -> Response:
        """Find passages."""
        found = await asking.ask(request.query, request, request.history)
        told = found.as_json()
        answer = {
            "query": request.query,
            "passages": numbered(told["passages"]),
            "prompt": told["prompt"] if request.include_prompt else None,
            "tokens_dropped": found.tokens_dropped,
            "latency_ms": told["latency_ms"],
        }
        return Response(orjson.dumps(answer), media_type="application/json")

    return routes
