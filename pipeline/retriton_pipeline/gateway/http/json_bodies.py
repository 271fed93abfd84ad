"""JSON bodies: the number of their values is bounded before they are parsed, and large ones are parsed in a thread."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.fairness import FairSlots
from retriton_pipeline.gateway.http.media_types import JSON, check_media_type

VALUES_MAX = 400_000  # a request of 300,000 token ids is valid
_INLINE_BYTES = 65_536  # smaller bodies take less than 10 ms, whatever they contain
_parsers = FairSlots(1)  # several would only wait for each other: the interpreter runs one at a time


class JsonRoute(APIRoute):
    """A route whose body is parsed by `parse_json`; others than JSON are refused."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, with another request."""
        handle = super().get_route_handler()
        has_body = self.body_field is not None

        async def handle_parsed(request: Request) -> Response:
            if has_body:
                check_media_type(request.headers, JSON)
            return await handle(_JsonRequest(request.scope, request.receive))

        return handle_parsed


class _JsonRequest(Request):
    async def json(self) -> Any:
        return await parse_json(await self.body())


async def parse_json(body: bytes) -> Any:
    """The value of a JSON document.

    Raises:
        ApiError: it has too many values.
        json.JSONDecodeError: it is malformed, or nested too deeply.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    if len(body) <= _INLINE_BYTES:
        return orjson.loads(body)
    async with _parsers.slot():
        await asyncio.to_thread(check_values, body)
        return await asyncio.to_thread(orjson.loads, body)


def check_values(body: bytes, values_max: int = VALUES_MAX) -> None:
    """Raises `ApiError` if there are more than ``values_max``. Separators within strings are not counted."""
    if b"\\" in body:
        body = body.replace(rb"\\", b"").replace(rb"\"", b"")
    if (strings := body.count(b'"') // 2) > 2 * values_max:
        raise _too_many(strings, values_max)
    outside = b"".join(body.split(b'"')[::2])
    if (values := sum(map(outside.count, (b",", b"[", b"{")))) > values_max:
        raise _too_many(values, values_max)


def _too_many(count: int, values_max: int) -> ApiError:
    return ApiError(
        413, "too_large", f"the body has {count} values or more, the limit is {values_max}: send less at once"
    )
