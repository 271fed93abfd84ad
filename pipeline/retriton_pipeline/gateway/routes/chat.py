"""``POST /v1/chat/completions``: an LLM answers from the documents, for any OpenAI client."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.http.event_stream import event_stream
from retriton_pipeline.gateway.http.json_bodies import JsonRoute
from retriton_pipeline.gateway.http.serialized_json import SerializedJson
from retriton_pipeline.gateway.schemas.chat import ChatRequest, ChatResponse
from retriton_pipeline.gateway.schemas.errors import error_responses
from retriton_pipeline.gateway.schemas.search import turns
from retriton_pipeline.gateway.services.chat_completion import ChatCompletion
from retriton_pipeline.gateway.services.fields import named_search
from retriton_pipeline.gateway.services.models import served_llm
from retriton_pipeline.gateway.services.question_answering import QuestionAnswering
from retriton_pipeline.generation import LLM
from retriton_pipeline.rag import AnswerStream


def router(llm: LLM | None, service: QuestionAnswering) -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["answers"], route_class=JsonRoute)

    @routes.post("/v1/chat/completions", response_model=ChatResponse, responses=error_responses(409, 502))
    async def chat_completions(request: ChatRequest) -> Response:
        """Answer from the documents. The first event of a stream has the sources."""
        served = served_llm(llm, request.model)
        request.check_supported()
        *before, last = request.messages
        if last.role != "user" or not last.text.strip():
            raise ApiError(400, "invalid_request", "the last message must be the user's question", "messages")
        retrieval = request.retrieval
        with named_search("retrieval."):
            prompted = await service.prompt(last.text, retrieval.collection, retrieval, turns(before))
        stream = AnswerStream(served, prompted, request.llm_parameters(), request.instructions)
        completion = ChatCompletion(stream, request, service)
        if request.stream:
            return event_stream(completion.events())
        return SerializedJson(await completion.body())

    return routes
