"""``POST /v1/responses``: an LLM answers from vector stores, for clients of OpenAI's responses."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from retriton_pipeline.gateway.http.event_stream import event_stream
from retriton_pipeline.gateway.http.json_bodies import JsonRoute
from retriton_pipeline.gateway.http.serialized_json import SerializedJson
from retriton_pipeline.gateway.schemas.errors import error_responses
from retriton_pipeline.gateway.schemas.responses import (
    FileSearchTool,
    InputItem,
    ResponseBody,
    ResponseRequest,
    instructions_of,
    turns_of,
)
from retriton_pipeline.gateway.services.fields import renamed
from retriton_pipeline.gateway.services.file_search import FileSearch
from retriton_pipeline.gateway.services.model_response import FileSearchCall, ModelResponse
from retriton_pipeline.gateway.services.models import served_llm
from retriton_pipeline.gateway.services.prompting import Prompting
from retriton_pipeline.gateway.services.upstream import Upstream
from retriton_pipeline.gateway.settings import Settings
from retriton_pipeline.generation import LLM, Prompt
from retriton_pipeline.rag import AnswerStream, PromptedQuestion


def router(settings: Settings, upstream: Upstream, search: FileSearch) -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["answers"], route_class=JsonRoute)
    llm, prompting = settings.llm, Prompting(settings, upstream)

    async def searched(owner: str, messages: list[InputItem], tools: list[FileSearchTool]) -> list[FileSearchCall]:
        *before, last = messages
        history, question = turns_of(before), last.text

        async def searched_by(number: int, tool: FileSearchTool) -> FileSearchCall:
            name = f"tools.{number}"
            with renamed(vector_store_id=f"{name}.vector_store_ids", filters=f"{name}.filters"):
                return FileSearchCall(
                    question, await search.search(owner, tool.vector_store_ids, [question], tool.options, history)
                )

        return await asyncio.gather(*(searched_by(number, tool) for number, tool in enumerate(tools)))

    async def answer_from(
        llm: LLM, request: ResponseRequest, messages: list[InputItem], calls: list[FileSearchCall]
    ) -> AnswerStream:
        *before, last = messages
        best_first = sorted((hit for call in calls for hit in call.hits), key=lambda hit: -hit.score)
        passages = list(
            {(hit.passage.document_id, hit.passage.chunk_index): hit.passage for hit in best_first}.values()
        )
        prompt = await prompting.prompt(last.text, passages, turns_of(before))
        prompted = PromptedQuestion(last.text, prompt)
        return AnswerStream(llm, prompted, request.llm_parameters(), instructions_of(request, before))

    @routes.post("/v1/responses", response_model=ResponseBody, responses=error_responses(409, 502))
    async def create(body: ResponseRequest, request: Request) -> Response:
        """Answer from vector stores, which the tool `file_search` names; without it, the LLM answers alone."""
        served = served_llm(llm, body.model)
        messages = body.messages()
        calls = await searched(request.scope["key"], messages, body.searches)
        stream = await answer_from(served, body, messages, calls) if calls else _answer_alone(served, body, messages)
        response = ModelResponse(body, stream, calls)
        if body.stream:
            return event_stream(response.events())
        return SerializedJson(await response.body())

    return routes


def _answer_alone(llm: LLM, request: ResponseRequest, messages: list[InputItem]) -> AnswerStream:
    """The LLM's answer to the conversation as it is."""
    *before, last = messages
    earlier = [{"role": str(item.role), "content": item.text} for item in before]
    instructions = [{"role": "system", "content": request.instructions}] if request.instructions else []
    prompted = PromptedQuestion(last.text, Prompt(last.text, []))
    return AnswerStream(llm, prompted, request.llm_parameters(), [*instructions, *earlier])
