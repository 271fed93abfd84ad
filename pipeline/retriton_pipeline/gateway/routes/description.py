"""The OpenAPI document, which needs no API key."""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI
from starlette.responses import Response

from retriton_pipeline.gateway.http.authentication import PUBLIC_PREFIXES
from retriton_pipeline.gateway.http.serialized_json import SerializedJson

_SCHEME = "HTTPBearer"


def router(app: FastAPI) -> APIRouter:
    """The route. The document is made, and serialised, once."""
    routes = APIRouter()
    document = cache(lambda: orjson.dumps(_with_keys(app.openapi())))

    @routes.get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        return SerializedJson(document())

    return routes


def _with_keys(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the scheme of API keys, which the middleware checks."""
    document["components"]["securitySchemes"] = {_SCHEME: {"type": "http", "scheme": "bearer"}}
    for path, operations in document["paths"].items():
        if not path.startswith(PUBLIC_PREFIXES):
            for operation in operations.values():
                operation["security"] = [{_SCHEME: []}]
    return document
