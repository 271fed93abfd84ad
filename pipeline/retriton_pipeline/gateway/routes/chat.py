"""``POST /v1/chat/completions``: an LLM answers from the documents, as any chat client expects it, with its sources."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any, Literal

import orjson
from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response, StreamingResponse

from retriton_pipeline.assembly import Assembled
from retriton_pipeline.errors import LLMError
from retriton_pipeline.gateway.http.errors import Refused, documented, refusal
from retriton_pipeline.gateway.metrics import GatewayMetrics
from retriton_pipeline.gateway.schemas.common import Body
from retriton_pipeline.gateway.services.models import unknown_model
from retriton_pipeline.gateway.services.question_answering import Asked, Asking, Message, PassageAnswer, numbered
from retriton_pipeline.generation.llm import LLM, Piece


class RetrievalPart(Asked):
    """How passages are looked for, and whether the answer shows the prompt."""

    include_prompt: bool = False


class StreamOptions(Body):
    """OpenAI's."""

    include_usage: bool = False


class ChatRequest(Body):
    """OpenAI's request; `retrieval` is ours, and may be left out. The last message is the question."""

    messages: list[Message] = Field(min_length=1, max_length=257)
    model: str
    stream: bool = False
    stream_options: StreamOptions | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    stop: str | list[str] | None = None
    seed: int | None = None
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    n: Literal[1] = 1
    user: str | None = None
    retrieval: RetrievalPart = RetrievalPart()

    def for_llm(self) -> dict[str, Any]:
        """What is handed on to the LLM."""
        ours = {"messages", "model", "stream", "stream_options", "n", "user", "retrieval"}
        return self.model_dump(exclude=ours, exclude_none=True)


class AnswerMessage(BaseModel):
    """What the LLM says."""

    role: Literal["assistant"]
    content: str


class Choice(BaseModel):
    """The only one."""

    index: Literal[0]
    message: AnswerMessage
    finish_reason: str


class ChatAnswer(BaseModel):
    """OpenAI's answer, with the passages it is made from and the numbers of those it cites."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[Choice]
    usage: dict[str, Any] | None
    sources: list[PassageAnswer]
    citations: list[int]
    prompt: str | None
    tokens_dropped: int
    latency_ms: dict[str, float]


def router(llm: LLM | None, asking: Asking, metrics: GatewayMetrics) -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["answers"])

    @routes.post("/v1/chat/completions", response_model=ChatAnswer, responses=documented(409, 502))
    async def chat_completions(request: ChatRequest) -> Response:
        """Answer from the documents; a stream begins with the sources."""
        if llm is None or request.model != llm.model:
            raise unknown_model(request.model, [llm.model] if llm else ["no LLM: start with --llm-url and --llm-model"])
        *said, last = request.messages
        if last.role != "user" or not last.text.strip():
            raise Refused(400, "invalid_request", "the last message must be the user's question", "messages")
        assembled = await asking.ask(last.text, request.retrieval, said)
        answer = _Answer(llm, request, assembled, metrics)
        if request.stream:
            return StreamingResponse(
                answer.events(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
            )
        return Response(await answer.whole(), media_type="application/json")

    return routes


class _Answer:
    """One answer, as a stream or in one piece."""

    def __init__(self, llm: LLM, request: ChatRequest, assembled: Assembled, metrics: GatewayMetrics) -> None:
        self._llm = llm
        self._request = request
        self._assembled = assembled
        self._metrics = metrics
        self._head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": request.model}
        self._text: list[str] = []
        self._finish_reason = "stop"
        self._usage: Any = None
        self._answer_ms: dict[str, float] = {}

    async def whole(self) -> bytes:
        async with aclosing(self._pieces()) as pieces:
            async for _ in pieces:
                pass
        message = {"role": "assistant", "content": "".join(self._text)}
        choice = {"index": 0, "message": message, "finish_reason": self._finish_reason}
        told = {"choices": [choice], "usage": self._usage, **self._sources(), **self._end()}
        return orjson.dumps({**self._head, "object": "chat.completion", **told})

    async def events(self) -> AsyncIterator[bytes]:
        """Server-sent events: the sources, the answer piece by piece, and at the end what it cites."""
        yield self._event({"role": "assistant", "content": ""}, **self._sources())
        try:
            async with aclosing(self._pieces()) as pieces:
                async for piece in pieces:
                    if piece.text:
                        yield self._event({"content": piece.text})
        except LLMError as error:
            yield _data({"error": refusal(error).as_json()})
        else:
            yield self._event({}, self._finish_reason, **self._end())
            if self._usage and self._request.stream_options and self._request.stream_options.include_usage:
                yield _data({**self._head, "object": "chat.completion.chunk", "choices": [], "usage": self._usage})
        yield b"data: [DONE]\n\n"

    async def _pieces(self) -> AsyncGenerator[Piece, None]:
        start = time.perf_counter()
        parameters = {**self._request.for_llm(), "stream_options": {"include_usage": True}}
        async with aclosing(self._llm.pieces(self._messages(), parameters)) as pieces:
            async for piece in pieces:
                self._answer_ms.setdefault("first_piece", (time.perf_counter() - start) * 1e3)
                self._text.append(piece.text)
                self._finish_reason = piece.finish_reason or self._finish_reason
                self._usage = piece.usage or self._usage
                yield piece
        self._answer_ms["answer"] = (time.perf_counter() - start) * 1e3
        self._metrics.stages(self._answer_ms)

    def _messages(self) -> Sequence[dict[str, str]]:
        """The client's instructions, and the prompt, which has the conversation in it."""
        system = [
            {"role": message.role, "content": message.text}
            for message in self._request.messages
            if message.role in ("system", "developer")
        ]
        return [*system, {"role": "user", "content": self._assembled.prompt.text}]

    def _sources(self) -> dict[str, Any]:
        told = self._assembled.as_json()
        prompt = told["prompt"] if self._request.retrieval.include_prompt else None
        return {
            "sources": numbered(told["passages"]),
            "prompt": prompt,
            "tokens_dropped": self._assembled.tokens_dropped,
            "latency_ms": told["latency_ms"],
        }

    def _end(self) -> dict[str, Any]:
        before = {**self._assembled.latency_ms}
        total = before.pop("total") + self._answer_ms.get("answer", 0.0)
        spent = {**before, **self._answer_ms, "total": total}
        latency_ms = {stage: round(ms, 3) for stage, ms in spent.items()}
        return {"citations": self._assembled.prompt.cited("".join(self._text)), "latency_ms": latency_ms}

    def _event(self, delta: dict[str, str], finish_reason: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return _data({**self._head, "object": "chat.completion.chunk", "choices": [choice], **more})


def _data(event: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(event) + b"\n\n"
