"""``POST /v1/retrieve``: passages for a question, and the prompt that an LLM would get."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from retriton_pipeline.gateway.http.json_bodies import JsonRoute
from retriton_pipeline.gateway.http.serialized_json import SerializedJson
from retriton_pipeline.gateway.schemas.errors import error_responses
from retriton_pipeline.gateway.schemas.search import RetrieveRequest, RetrieveResponse, check_texts, turns
from retriton_pipeline.gateway.services.fields import named_search
from retriton_pipeline.gateway.services.question_answering import QuestionAnswering


def router(service: QuestionAnswering) -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["retrieval"], route_class=JsonRoute)

    @routes.post("/v1/retrieve", response_model=RetrieveResponse, responses=error_responses(409, 502))
    async def retrieve(request: RetrieveRequest) -> Response:
        """Find passages."""
        check_texts(request.history, "history")
        asked = request.query, request.collection, request, turns(request.history)
        with named_search():
            found = await (service.prompt(*asked) if request.include_prompt else service.retrieve(*asked))
        body = RetrieveResponse.of(found)
        return SerializedJson(body.model_dump_json())

    return routes
