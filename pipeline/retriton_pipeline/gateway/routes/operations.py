"""Health, metrics and models."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from retriton_client import RetritonError
from retriton_pipeline.errors import PipelineError
from retriton_pipeline.gateway.http.errors import documented, log
from retriton_pipeline.gateway.metrics import GatewayMetrics
from retriton_pipeline.gateway.services.collections import Collections
from retriton_pipeline.gateway.services.models import model_ids, unknown_model
from retriton_pipeline.gateway.services.upstream import Served
from retriton_pipeline.gateway.settings import Settings

_PROBE_S = 3.0
_FRESH_S = 1.0  # probes of many load balancers are one probe
Part = Literal["triton", "milvus", "llm"]


class Model(BaseModel):
    """A model, as OpenAI lists it; ``kind`` is embedding, reranking or chat."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "retriton"
    kind: str


class ModelList(BaseModel):
    """All models."""

    object: Literal["list"] = "list"
    data: list[Model]


class PartHealth(BaseModel):
    """One part: whether it did what it is for, how long that took, and what was wrong."""

    healthy: bool
    ms: float
    error: str | None = None


class Health(BaseModel):
    """Whether requests would be answered."""

    status: Literal["ready", "not ready"]
    parts: dict[str, PartHealth]


class Alive(BaseModel):
    """The process answers."""

    status: Literal["live"] = "live"


class Probes:
    """Asks what is behind the gateway whether it works, at most once a second."""

    def __init__(self, settings: Settings, served: Served, collections: Collections) -> None:
        self._checks: dict[str, Callable[[], Awaitable[Any]]] = {
            "triton": lambda: served.client.check_health(_PROBE_S),
            "milvus": collections.check,
        }
        if settings.llm:
            self._checks["llm"] = settings.llm.check
        self._known: tuple[float, dict[str, PartHealth]] = (0.0, {})
        self._lock = asyncio.Lock()

    async def ask(self) -> dict[str, PartHealth]:
        """The health of every part."""
        async with self._lock:
            if time.monotonic() > self._known[0] + _FRESH_S:
                found = await asyncio.gather(*(self._probe(check) for check in self._checks.values()))
                self._known = time.monotonic(), dict(zip(self._checks, found, strict=True))
        return self._known[1]

    async def _probe(self, check: Callable[[], Awaitable[Any]]) -> PartHealth:
        start = time.perf_counter()
        error: str | None = None
        try:
            async with asyncio.timeout(_PROBE_S):
                await check()
        except (RetritonError, PipelineError, TimeoutError, OSError) as failure:
            log.warning("unhealthy: %s", failure)
            error = type(failure).__name__
        return PartHealth(healthy=error is None, ms=round((time.perf_counter() - start) * 1e3, 2), error=error)


def router(probes: Probes, metrics: GatewayMetrics) -> APIRouter:
    """What is open to everybody: health and metrics."""
    routes = APIRouter(tags=["operations"])

    @routes.get("/v1/health/live")
    async def live() -> Alive:
        """The process answers."""
        return Alive()

    @routes.get("/v1/health/ready", response_model=Health, responses={503: {"model": Health}})
    async def ready(part: Annotated[list[Part] | None, Query()] = None) -> Response:
        """Embeds through Triton, asks Milvus and the LLM, if there is one; 503 if one fails of those that are named."""
        found = await probes.ask()
        well = all(health.healthy for name, health in found.items() if not part or name in part)
        answer = Health(status="ready" if well else "not ready", parts=found)
        return JSONResponse(answer.model_dump(), 200 if well else 503)

    @routes.get("/v1/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def prometheus() -> Response:
        """For Prometheus."""
        return Response(metrics.page(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return routes


def models(settings: Settings, served: Served) -> APIRouter:
    """What is served."""
    routes = APIRouter(tags=["operations"])

    @routes.get("/v1/models", responses=documented(502))
    async def models() -> ModelList:
        """What can be named as the model of a request."""
        return ModelList(data=await _models(settings, served))

    @routes.get("/v1/models/{model_id:path}", responses=documented(502))
    async def model(model_id: str) -> Model:
        """One of them."""
        known = await _models(settings, served)
        for found in known:
            if found.id == model_id:
                return found
        raise unknown_model(model_id, [found.id for found in known])

    return routes


async def _models(settings: Settings, served: Served) -> list[Model]:
    encoder, reranker = await asyncio.gather(served.encoder(), served.reranker())
    found = [Model(id=name, kind="embedding") for name in model_ids(encoder, settings.aliases)]
    if reranker:
        found.append(Model(id=reranker.name, kind="reranking"))
    if settings.llm:
        found.append(Model(id=settings.llm.model, kind="chat"))
    return found
