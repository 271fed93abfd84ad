"""JSON bodies. The number of their values is bounded while they arrive, and large ones are parsed in a thread."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from retriton_pipeline.gateway.fairness import FairSlots
from retriton_pipeline.gateway.http.media_types import JSON, check_media_type

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
    """The value of a JSON document. Raises `json.JSONDecodeError` if it is malformed, or nested too deeply."""
    body = body.removeprefix(codecs.BOM_UTF8)
    if len(body) <= _INLINE_BYTES:
        return orjson.loads(body)
    async with _parsers.slot():
        return await asyncio.to_thread(orjson.loads, body)
