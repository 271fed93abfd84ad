"""The application: routes behind the door."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer
from starlette.types import ASGIApp

from retriton_pipeline.gateway import errors
from retriton_pipeline.gateway.http.admission import Guarded, Observed
from retriton_pipeline.gateway.http.tracing import traced
from retriton_pipeline.gateway.metrics import GatewayMetrics
from retriton_pipeline.gateway.routes import (
    chat,
    documents,
    embeddings,
    operations,
    page,
    playground,
    ranking,
    retrieve,
)
from retriton_pipeline.gateway.routes import jobs as job_routes
from retriton_pipeline.gateway.services.api_keys import ApiKeys
from retriton_pipeline.gateway.services.collections import Collections
from retriton_pipeline.gateway.services.pending_answers import Pending
from retriton_pipeline.gateway.services.question_answering import Asking
from retriton_pipeline.gateway.services.upload_jobs import Jobs
from retriton_pipeline.gateway.services.upstream import Served
from retriton_pipeline.gateway.settings import Settings


def create_app(settings: Settings) -> ASGIApp:
    """The gateway as an ASGI application.

    Raises:
        PipelineError: the file of API keys cannot be used.
    """
    metrics, keys, served = GatewayMetrics(), ApiKeys(settings.keys_file), Served(settings)
    collections, jobs, pending = (
        Collections(settings, served),
        Jobs(settings, served, metrics),
        Pending(settings.bounds, metrics),
    )
    asking = Asking(settings, served, collections, metrics)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        background = [
            asyncio.ensure_future(work) for work in (jobs.run(), collections.release_idle(), pending.expire())
        ]
        yield
        pending.close()
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await collections.close()
        await served.client.close()

    app = FastAPI(title="Retriton", lifespan=lifespan, docs_url=None, redoc_url=None)
    errors.install(app)
    key = [Depends(HTTPBearer(auto_error=False))]  # for the OpenAPI document: the door asks for it
    for routes in (
        embeddings.router(settings, served),
        playground.router(settings, served, pending),
        ranking.router(served),
        retrieve.router(asking),
        chat.router(settings.llm, asking, metrics),
        documents.router(settings, collections, jobs),
        page.router(),
        job_routes.router(jobs),
        operations.models(settings, served),
    ):
        app.include_router(routes, dependencies=key)
    app.include_router(operations.router(operations.Probes(settings, served, collections), metrics))
    app.mount("/static", page.PageFiles(directory=page.FOLDER), name="static")
    return Observed(Guarded(traced(app), keys, settings, metrics), metrics)
