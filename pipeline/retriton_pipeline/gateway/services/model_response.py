"""A response in OpenAI's format, whole or as server-sent events in OpenAI's order."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import orjson

from retriton_pipeline.errors import LLMError
from retriton_pipeline.gateway.errors import api_error
from retriton_pipeline.gateway.schemas.responses import ResponseRequest
from retriton_pipeline.gateway.services.file_citations import FileCitations
from retriton_pipeline.gateway.services.file_search import FileHit
from retriton_pipeline.gateway.services.llm_values import token_counts
from retriton_pipeline.gateway.storage.identifiers import new_id
from retriton_pipeline.rag import Answer, AnswerStream

_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}  # by the LLM's finish_reason
Event = dict[str, Any]


@dataclass(frozen=True)
class FileSearchCall:
    """One search of a response: what was searched for, and what was found, best first."""

    query: str
    hits: Sequence[FileHit]


class ModelResponse:
    """One response.

    Args:
        request: what is answered.
        stream: the answer.
        calls: the searches before it.
    """

    def __init__(self, request: ResponseRequest, stream: AnswerStream, calls: Sequence[FileSearchCall]) -> None:
        self._request = request
        self._stream = stream
        self._id, self._message_id, self._created_at = new_id("resp_"), new_id("msg_"), int(time.time())
        self._searches = [self._search_item(call) for call in calls]
        hits = [hit for call in calls for hit in call.hits]
        self._citations = FileCitations(stream.prompted.prompt, hits)
        self._events = 0

    async def body(self) -> bytes:
        """The whole response as one JSON document. Raises `LLMError`."""
        answer = await self._stream.complete()
        self._citations.add(answer.text)
        return orjson.dumps(self._complete(answer))

    async def events(self) -> AsyncGenerator[bytes, None]:
        """Server-sent events: the searches, the deltas and citations of the answer, and the whole response."""
        yield self._event("response.created", response=self._response("in_progress"))
        yield self._event("response.in_progress", response=self._response("in_progress"))
        for index, item in enumerate(self._searches):
            for event in self._search_events(index, item):
                yield event
        try:
            async for event in self._message_events():
                yield event
        except LLMError as error:
            reason = {"code": "server_error", "message": api_error(error).message}
            yield self._event("response.failed", response=self._response("failed", output=self._searches, error=reason))
            return
        whole = self._complete(self._stream.answer)
        yield self._event(f"response.{whole['status']}", response=whole)

    def _search_events(self, index: int, item: Event) -> list[bytes]:
        """The events of a search, which is complete when the first of them is sent."""
        started = {**item, "status": "in_progress", "results": None}
        place = {"output_index": index, "item_id": item["id"]}
        return [
            self._event("response.output_item.added", output_index=index, item=started),
            *(self._event(f"response.file_search_call.{step}", **place) for step in _STEPS),
            self._event("response.output_item.done", output_index=index, item=item),
        ]

    async def _message_events(self) -> AsyncIterator[bytes]:
        index = len(self._searches)
        place = {"output_index": index, "item_id": self._message_id, "content_index": 0}
        item = self._message("in_progress", [])
        yield self._event("response.output_item.added", output_index=index, item=item)
        yield self._event("response.content_part.added", **place, part=_part("", []))
        text = ""
        async with aclosing(self._stream):
            async for delta in self._stream:
                if not delta.text:
                    continue
                yield self._event("response.output_text.delta", **place, delta=delta.text, logprobs=[])
                since, text = len(text), text + delta.text
                first = len(self._citations.found)
                for number, annotation in enumerate(self._citations.add(text, since), first):
                    added = {"annotation_index": number, "annotation": annotation}
                    yield self._event("response.output_text.annotation.added", **place, **added)
        answer = self._stream.answer
        yield self._event("response.output_text.done", **place, text=answer.text, logprobs=[])
        yield self._event("response.content_part.done", **place, part=_part(answer.text, self._citations.found))
        yield self._event("response.output_item.done", output_index=index, item=self._answered(answer))

    def _complete(self, answer: Answer) -> Event:
        """The response with the whole answer."""
        status, reason = _status(answer)
        return self._response(
            status,
            output=[*self._searches, self._answered(answer)],
            incomplete_details={"reason": reason} if reason else None,
            completed_at=int(time.time()) if status == "completed" else None,
            usage=_usage(answer),
        )

    def _answered(self, answer: Answer) -> Event:
        return self._message(_status(answer)[0], [_part(answer.text, self._citations.found)])

    def _message(self, status: str, content: list[Event]) -> Event:
        return {"id": self._message_id, "type": "message", "role": "assistant", "status": status, "content": content}

    def _search_item(self, call: FileSearchCall) -> Event:
        results = [_result(hit) for hit in call.hits] if self._request.has_results else None
        item = {"id": new_id("fs_"), "type": "file_search_call", "status": "completed"}
        return {**item, "queries": [call.query], "results": results}

    def _response(self, status: str, **fields: Any) -> Event:
        request = self._request
        return {
            "id": self._id,
            "object": "response",
            "created_at": self._created_at,
            "completed_at": None,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": None,
            "instructions": request.instructions,
            "max_output_tokens": request.max_output_tokens,
            "metadata": request.metadata or {},
            "model": request.model,
            "output": [],
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "store": False,
            "temperature": request.temperature,
            "text": {"format": {"type": "text"}},
            "tool_choice": request.chosen,
            "tools": [tool.model_dump(exclude_unset=True) for tool in request.tools],
            "top_p": request.top_p,
            "truncation": "disabled",
            "usage": None,
            "user": request.user,
            **fields,
        }

    def _event(self, kind: str, **fields: Any) -> bytes:
        body = {"type": kind, "sequence_number": self._events, **fields}
        self._events += 1
        return b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(body) + b"\n\n"


_STEPS = ("in_progress", "searching", "completed")


def _status(answer: Answer) -> tuple[str, str | None]:
    """The status of a response, and why it is incomplete."""
    reason = _INCOMPLETE.get(answer.finish_reason)
    return ("incomplete" if reason else "completed"), reason


def _part(text: str, annotations: list[Event]) -> Event:
    return {"type": "output_text", "text": text, "annotations": list(annotations), "logprobs": []}


def _result(hit: FileHit) -> Event:
    return {
        "file_id": hit.file_id,
        "filename": hit.filename,
        "score": hit.score,
        "text": hit.passage.text,
        "attributes": dict(hit.attributes),
    }


def _usage(answer: Answer) -> Event | None:
    usage = token_counts(answer.usage)
    if usage is None:
        return None
    asked, said = usage["prompt_tokens"], usage["completion_tokens"]
    return {
        "input_tokens": asked,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": said,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": asked + said,
    }
