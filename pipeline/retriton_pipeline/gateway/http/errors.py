"""Errors as OpenAI's clients read them: a status, and one JSON object; what failed inside is for the log alone."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from retriton_client import (
    DeadlineExceeded,
    InvalidRequest,
    NotInstalled,
    Overloaded,
    RetritonError,
    TextTooLong,
    Unavailable,
    WrongEncoder,
)
from retriton_pipeline.errors import (
    EncoderMismatch,
    LLMError,
    NoBm25Index,
    NoSuchCollection,
    PipelineError,
    StoreError,
)

log = logging.getLogger("retriton.gateway")
RETRY_AFTER_S = 1


@dataclass
class Refused(Exception):
    """An answer that is an error.

    Attributes:
        status: of HTTP.
        code: for programs.
        message: for people.
        param: the field of the request that is wrong.
        retry_after_s: when it may be tried again; None where that is of no use.
        headers: of the answer besides: what a resource allows, say.
    """

    status: int
    code: str
    message: str
    param: str | None = None
    retry_after_s: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """What was wrong, as OpenAI shapes it."""
        return {"message": self.message, "type": _kind(self.status), "param": self.param, "code": self.code}

    def response(self) -> Response:
        """The whole answer."""
        headers = dict(self.headers)
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(self.retry_after_s)
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return Response(orjson.dumps({"error": self.as_json()}), self.status, headers, "application/json")


class ErrorBody(BaseModel):
    """What was wrong."""

    message: str
    type: str
    param: str | None
    code: str


class ErrorAnswer(BaseModel):
    """The answer of every request that is refused."""

    error: ErrorBody


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route can answer besides its result, for the OpenAPI document."""
    return {
        status: {"model": ErrorAnswer} for status in sorted({400, 401, 404, 413, 422, 429, 500, 503, 504, *statuses})
    }


_INSIDE: dict[type[Exception], Refused] = {
    Overloaded: Refused(429, "overloaded", "the server has too much to do: try again", None, RETRY_AFTER_S),
    Unavailable: Refused(503, "unavailable", "the encoder is not available now: try again", None, RETRY_AFTER_S),
    DeadlineExceeded: Refused(504, "deadline_exceeded", "the time for this request is over"),
    TimeoutError: Refused(504, "deadline_exceeded", "the time for this request is over"),
    RetritonError: Refused(502, "server_fault", "the encoder answered something it should not"),
    StoreError: Refused(503, "store_unavailable", "the vector store did not do what it was asked: try again", None, 1),
    LLMError: Refused(502, "llm_failed", "the LLM endpoint failed"),
}


def refusal(error: BaseException) -> Refused:
    """The answer that stands for ``error``. What is our fault is logged, and told in general terms."""
    if isinstance(error, Refused):
        return error
    if (told := _told(error)) is not None:
        return told
    for kind, answer in _INSIDE.items():
        if isinstance(error, kind):
            log.warning("%s: %s", answer.code, error)
            return answer
    if isinstance(error, PipelineError):
        return Refused(400, "invalid_request", str(error))
    log.error("internal error", exc_info=error)
    return Refused(500, "internal_error", "an error of the server; its log has it under the id of this request")


_IN_OTHER_WORDS: dict[type[Exception], Refused] = {
    NotInstalled: Refused(404, "model_not_found", "no cross-encoder is installed: `retriton export` installs one"),
    WrongEncoder: Refused(503, "encoder_changed", "the encoder was exchanged: try again", None, RETRY_AFTER_S),
    NoSuchCollection: Refused(404, "collection_not_found", "there is no such collection: upload documents first"),
    NoBm25Index: Refused(400, "no_keyword_search", "the collection has no keyword index: search with mode dense"),
}


def _told(error: BaseException) -> Refused | None:
    """Errors that are meant for the caller."""
    for kind, answer in _IN_OTHER_WORDS.items():
        if isinstance(error, kind):
            return answer
    match error:
        case TextTooLong():
            return Refused(400, "text_too_long", _without_code(error), "input")
        case InvalidRequest():
            return Refused(400, "invalid_request", _without_code(error))
        case EncoderMismatch():
            return Refused(409, "encoder_mismatch", str(error))
        case HTTPException():
            if isinstance(error.__cause__, Refused):  # of a body, in the middle of its parsing
                return error.__cause__
            code = _HTTP_CODES.get(error.status_code, "http_error")
            return Refused(error.status_code, code, str(error.detail), headers=error.headers or {})
        case RequestValidationError():
            return _invalid(error.errors())
    return None


_HTTP_CODES = {404: "not_found", 405: "method_not_allowed", 400: "invalid_request"}


def _without_code(error: Exception) -> str:
    """``TEXT_EMPTY: text 0 is empty`` without the code that programs read on the wire."""
    code, colon, sentence = str(error).partition(": ")
    return sentence if colon and code.isupper() else str(error)


def _invalid(errors: Sequence[Any]) -> Refused:
    """Of several shapes that a body could have, the error of the one that it comes closest to."""
    worst = max(errors, key=lambda error: (len(error["loc"]), not error["type"].endswith("_type")))
    if worst["type"] == "json_invalid":
        why = worst.get("ctx", {}).get("error", worst["msg"])
        return Refused(400, "malformed_json", f"the body is not JSON: {why}")
    where, *parts = map(str, worst["loc"])
    name = ".".join(part for part in parts if where != "body" or not _IN_UNION.search(part))
    return Refused(422, "invalid_request", f"{name or 'the body'}: {worst['msg']}", name or None)


_IN_UNION = re.compile(r"[\[\]-]|Request$|^(str|int)$")  # what pydantic calls the members of a union


def _kind(status: int) -> str:
    names = {401: "authentication_error", 429: "rate_limit_error", 504: "timeout_error"}
    return names.get(status, "invalid_request_error" if status < 500 else "server_error")


_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


def _allowed(request: Request) -> list[str]:
    asked = [{**request.scope, "method": method} for method in _METHODS]
    return [
        scope["method"] for scope in asked if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)
    ]


def install(app: FastAPI) -> None:
    """Lets ``app`` answer every exception with a `Refused`."""

    async def handle(request: Request, error: Exception) -> Response:
        answer = refusal(error)
        if answer.status == 405:  # Starlette names the methods of the first route of this address only
            answer.headers = {"Allow": ", ".join(_allowed(request))}
        return answer.response()

    for kind in (Refused, RetritonError, PipelineError, HTTPException, RequestValidationError, TimeoutError, Exception):
        app.add_exception_handler(kind, handle)
