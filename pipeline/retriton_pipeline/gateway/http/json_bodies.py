"""JSON bodies. The number of their values is bounded while they arrive, and large ones are parsed in a thread."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import inspect
import json
from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from retriton_pipeline.gateway.http.media_types import JSON, check_media_type
from retriton_pipeline.gateway.slots import FairSlots

_INLINE_BYTES = 65_536  # smaller bodies take less than 10 ms, whatever they contain
_parsers = FairSlots(1)  # several would only wait for each other: the interpreter runs one at a time


class JsonRoute(APIRoute):
    """A route whose body is parsed by `parse_json`; others than JSON are refused.

    An endpoint that takes only a valid body, and perhaps the request, and returns a response, is called directly:
    FastAPI's preparations for all that an endpoint may take cost more than the endpoints of single texts.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, with another request."""
        handle = super().get_route_handler()
        field = self.body_field
        if field is None:
            return handle
        name, request_name = _arguments(self)

        async def handle_parsed(request: Request) -> Response:
            check_media_type(request.headers, JSON)
            parsed = _JsonRequest(request.scope, request.receive)
            if not name or (body := await parsed.json_or_none()) is None:
                return await handle(parsed)
            value, errors = field.validate(body, loc=("body",))
            if errors:
                raise RequestValidationError(errors, body=body)
            arguments = {name: value, request_name: parsed} if request_name else {name: value}
            response: Response = await self.endpoint(**arguments)
            return response

        return handle_parsed


def _arguments(route: APIRoute) -> tuple[str, str]:
    """The names of the endpoint's arguments for the body and for the request, or empty ones.

    Both are empty if the body is optional, if there are other arguments, or if the endpoint returns something else than
    a response.
    """
    signature = inspect.signature(route.endpoint, eval_str=True)
    request_name = route.dependant.request_param_name or ""
    others = [argument for argument in signature.parameters.values() if argument.name != request_name]
    if len(others) != 1 or others[0].default is not inspect.Parameter.empty:
        return "", ""
    if not route.dependant.body_params or signature.return_annotation is not Response:
        return "", ""
    return others[0].name, request_name


class _JsonRequest(Request):
    async def json(self) -> Any:
        return await parse_json(await self.body())

    async def json_or_none(self) -> Any:
        """None, too, if there is no JSON document."""
        with contextlib.suppress(json.JSONDecodeError):
            return await self.json()


async def parse_json(body: bytes) -> Any:
    """The value of a JSON document. Raises `json.JSONDecodeError` if it is malformed, or nested too deeply."""
    body = body.removeprefix(codecs.BOM_UTF8)
    if len(body) <= _INLINE_BYTES:
        return orjson.loads(body)
    async with _parsers.slot():
        return await asyncio.to_thread(orjson.loads, body)
