"""The OpenAPI document, which needs no API key."""

from __future__ import annotations

from functools import cache

import orjson
from fastapi import APIRouter, FastAPI
from starlette.responses import Response

from retriton_pipeline.gateway.http.serialized_json import SerializedJson


def router(app: FastAPI) -> APIRouter:
    """The route. The document is made, and serialised, once."""
    routes = APIRouter()
    document = cache(lambda: orjson.dumps(app.openapi()))

    @routes.get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        return SerializedJson(document())

    return routes
