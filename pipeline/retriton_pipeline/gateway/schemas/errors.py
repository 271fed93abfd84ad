"""Error responses, in OpenAI's shape."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel

from retriton_pipeline.gateway.errors import ApiError

_TYPES = {401: "authentication_error", 429: "rate_limit_error", 504: "timeout_error"}
_STATUSES = {400, 401, 404, 408, 413, 415, 422, 429, 500, 503, 504}  # of any route


_MESSAGE_MAX = 1000
_PARAM_MAX = 200


class ErrorBody(BaseModel):
    """What was wrong; ``code`` is for programs, ``message`` for people, ``param`` the field of the request."""

    message: str
    type: str
    param: str | None
    code: str

    @classmethod
    def of(cls, error: ApiError) -> Self:
        """The body for an error."""
        kind = _TYPES.get(error.status, "invalid_request_error" if error.status < 500 else "server_error")
        message = _shortened(error.message, _MESSAGE_MAX)
        param = error.param and _shortened(error.param, _PARAM_MAX)
        return cls(message=message, type=kind, param=param, code=error.code)


def _shortened(text: str, length_max: int) -> str:
    """Responses repeat input at most to this length, and no control characters."""
    text = text if len(text) <= length_max else f"{text[:length_max]}..."
    return "".join(character if character.isprintable() else " " for character in text)


class ErrorResponse(BaseModel):
    """The response to a request that failed; ``detail`` is the message, where Voyage's client looks for it."""

    error: ErrorBody
    detail: str

    @classmethod
    def of(cls, error: ApiError) -> Self:
        """The response for an error."""
        body = ErrorBody.of(error)
        return cls(error=body, detail=body.message)


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error responses of a route for the OpenAPI document: those of any route, and ``statuses``."""
    return {status: {"model": ErrorResponse} for status in sorted({*_STATUSES, *statuses})}
