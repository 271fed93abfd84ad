"""A gateway in this process, without the servers behind it: for what it decides alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from retriton_pipeline.gateway.app import create_app
from retriton_pipeline.gateway.settings import Settings


@asynccontextmanager
async def in_process(**settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway that reaches no server."""
    app = create_app(Settings(**{"url": "127.0.0.1:9", "milvus": "http://127.0.0.1:9", **settings}))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        yield client
