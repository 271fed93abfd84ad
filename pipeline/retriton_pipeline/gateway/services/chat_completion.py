"""An answer in the format of OpenAI's chat completions, whole or as server-sent events."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import orjson

from retriton_pipeline.errors import LLMError
from retriton_pipeline.gateway.errors import api_error
from retriton_pipeline.gateway.schemas.chat import ChatRequest
from retriton_pipeline.gateway.schemas.errors import ErrorBody
from retriton_pipeline.gateway.schemas.search import PassageBody
from retriton_pipeline.gateway.services.llm_values import finish_reason, token_counts
from retriton_pipeline.gateway.services.question_answering import QuestionAnswering
from retriton_pipeline.rag import AnswerStream
from retriton_pipeline.retrieval.passage import rounded


class ChatCompletion:
    """One answer, in OpenAI's format."""

    def __init__(self, stream: AnswerStream, request: ChatRequest, service: QuestionAnswering) -> None:
        self._stream = stream
        self._request = request
        self._service = service
        self._header = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": request.model}

    async def body(self) -> bytes:
        """The whole answer as one JSON document. Raises `LLMError`."""
        answer = await self._stream.complete()
        message = {"role": "assistant", "content": answer.text}
        choice = {"index": 0, "message": message, "finish_reason": finish_reason(answer.finish_reason)}
        usage = token_counts(answer.usage)
        body = {
            **self._header,
            "object": "chat.completion",
            "choices": [choice],
            **({"usage": usage} if usage else {}),
            **self._sources(),
            **self._citations(),
        }
        return orjson.dumps(body)

    async def events(self) -> AsyncGenerator[bytes, None]:
        """Server-sent events: the sources, the deltas of the answer, and finally what it cites."""
        yield self._chunk({"role": "assistant", "content": ""}, **self._sources())
        try:
            async with aclosing(self._stream):
                async for delta in self._stream:
                    if delta.text:
                        yield self._chunk({"content": delta.text})
        except LLMError as error:
            yield _event({"error": ErrorBody.of(api_error(error)).model_dump()})
        else:
            answer = self._stream.answer
            yield self._chunk({}, finish_reason(answer.finish_reason), **self._citations())
            usage, options = token_counts(answer.usage), self._request.stream_options
            if usage and options and options.include_usage:
                yield _event({**self._header, **_CHUNK, "choices": [], "usage": usage})
        yield b"data: [DONE]\n\n"

    def _sources(self) -> dict[str, Any]:
        prompted = self._stream.prompted
        return {
            "sources": [passage.model_dump() for passage in PassageBody.numbered(prompted.passages)],
            "prompt": prompted.prompt.text if self._request.retrieval.include_prompt else None,
            "tokens_dropped": prompted.tokens_dropped,
            "latency_ms": rounded(prompted.latency_ms),
        }

    def _citations(self) -> dict[str, Any]:
        answer = self._stream.answer
        return {"citations": answer.citations, "latency_ms": self._service.observe(answer)}

    def _chunk(self, delta: dict[str, str], reason: str | None = None, **fields: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return _event({**self._header, **_CHUNK, "choices": [choice], **fields})


_CHUNK = {"object": "chat.completion.chunk"}


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(data) + b"\n\n"
