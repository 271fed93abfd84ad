"""Error responses in the shape that OpenAI's clients read, for every exception of the application."""

from __future__ import annotations

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from retriton_client import RetritonError
from retriton_pipeline.errors import PipelineError
from retriton_pipeline.gateway.errors import ApiError, api_error
from retriton_pipeline.gateway.http.invalid_requests import invalid_request
from retriton_pipeline.gateway.schemas.errors import ErrorResponse

_HTTP_CODES = {404: "not_found", 405: "method_not_allowed", 400: "invalid_request"}
_MESSAGES = {
    "Not Found": "there is no such path: GET /openapi.json lists all",
    "Method Not Allowed": "the path does not have this method; the header Allow has those that it has",
}  # by Starlette's
_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


def error_response(error: BaseException) -> Response:
    """The whole response for ``error``."""
    found = _framework_error(error) or api_error(error)
    headers = dict(found.headers)
    if found.retry_after_s is not None:
        headers["Retry-After"] = str(found.retry_after_s)
    if found.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = ErrorResponse.of(found).model_dump()
    return Response(orjson.dumps(body), found.status, headers, "application/json")


def install_error_handlers(app: FastAPI) -> None:
    """Lets ``app`` answer every exception with an error response."""

    async def handle(request: Request, error: Exception) -> Response:
        response = error_response(error)
        if response.status_code == 405:  # Starlette only names the methods of the first route that has this path
            response.headers["Allow"] = ", ".join(_allowed_methods(request))
        return response

    handled = (ApiError, RetritonError, PipelineError, HTTPException, RequestValidationError, TimeoutError, Exception)
    for kind in handled:
        app.add_exception_handler(kind, handle)


def _framework_error(error: BaseException) -> ApiError | None:
    if isinstance(error, HTTPException):
        if isinstance(error.__cause__, ApiError):  # raised while the framework parsed a body
            return error.__cause__
        code = _HTTP_CODES.get(error.status_code, "http_error")
        message = _MESSAGES.get(str(error.detail), str(error.detail))
        return ApiError(error.status_code, code, message, headers=error.headers or {})
    if isinstance(error, RequestValidationError):
        return invalid_request(error.errors(), error.body)
    return None


def _allowed_methods(request: Request) -> list[str]:
    scopes = [{**request.scope, "method": "GET" if method == "HEAD" else method} for method in _METHODS]
    routes = request.app.routes
    return [
        method
        for method, scope in zip(_METHODS, scopes, strict=True)
        if any(route.matches(scope)[0] is Match.FULL for route in routes)
    ]
