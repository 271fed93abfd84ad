"""Health and metrics, which need no API key."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from retriton_pipeline.gateway.metrics import GatewayMetrics
from retriton_pipeline.gateway.schemas.errors import ErrorResponse
from retriton_pipeline.gateway.schemas.health import Dependency, Liveness, Readiness
from retriton_pipeline.gateway.services.health import HealthProbes


def router(probes: HealthProbes, metrics: GatewayMetrics) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["operations"])

    @routes.get("/v1/health/live")
    async def live() -> Liveness:
        """The process responds."""
        return Liveness()

    @routes.get(
        "/v1/health/ready",
        response_model=Readiness,
        responses={422: {"model": ErrorResponse}, 503: {"model": Readiness}},
    )
    async def ready(part: Annotated[list[Dependency] | None, Query()] = None) -> Response:
        """Probe Triton, Milvus and the LLM; 503 if one of the named dependencies (default: any) fails."""
        found = await probes.check()
        is_ready = all(health.healthy for name, health in found.items() if not part or name in part)
        body = Readiness(status="ready" if is_ready else "not ready", parts=found)
        return JSONResponse(body.model_dump(), 200 if is_ready else 503)

    @routes.get("/v1/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def prometheus() -> Response:
        """Metrics for Prometheus."""
        return Response(metrics.page(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return routes
