"""``GET /v1/models``: the models that requests can name."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from retriton_pipeline.gateway.schemas.errors import error_responses
from retriton_pipeline.gateway.schemas.models import ModelBody, ModelList
from retriton_pipeline.gateway.services.models import model_ids, served_name, unknown_model
from retriton_pipeline.gateway.services.upstream import Upstream
from retriton_pipeline.gateway.settings import Settings


def router(settings: Settings, upstream: Upstream) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["operations"])

    @routes.get("/v1/models", responses=error_responses(502))
    async def models() -> ModelList:
        """All models."""
        return ModelList(data=await _models(settings, upstream))

    @routes.get("/v1/models/{model_id:path}", responses=error_responses(502))
    async def model(model_id: str) -> ModelBody:
        """One model."""
        known = {found.id: found for found in await _models(settings, upstream)}
        if found := known.get(served_name(model_id, list(known))):
            return found
        raise unknown_model(model_id, list(known))

    return routes


async def _models(settings: Settings, upstream: Upstream) -> list[ModelBody]:
    encoder, reranker = await asyncio.gather(upstream.encoder(), upstream.reranker())
    found = [ModelBody(id=name, kind="embedding") for name in model_ids(encoder, settings.aliases)]
    if reranker:
        found.append(ModelBody(id=reranker.name, kind="reranking"))
    if settings.llm:
        found.append(ModelBody(id=settings.llm.model, kind="chat"))
    return found
