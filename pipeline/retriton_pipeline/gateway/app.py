"""The ASGI application: services, routes, and the middleware around them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from retriton_pipeline.gateway.http.access_log import AccessLogMiddleware
from retriton_pipeline.gateway.http.admission import AdmissionMiddleware
from retriton_pipeline.gateway.http.authentication import AuthenticationMiddleware
from retriton_pipeline.gateway.http.equivalents import EquivalentsMiddleware
from retriton_pipeline.gateway.http.error_responses import install_error_handlers
from retriton_pipeline.gateway.http.expectation import ExpectationMiddleware
from retriton_pipeline.gateway.http.origins import allowing
from retriton_pipeline.gateway.http.shedding import SheddingMiddleware
from retriton_pipeline.gateway.http.tracing import traced
from retriton_pipeline.gateway.metrics import GatewayMetrics
from retriton_pipeline.gateway.routes import (
    chat,
    cohere,
    description,
    documents,
    elasticsearch,
    embeddings,
    file_batches,
    files,
    jobs,
    mcp,
    models,
    operations,
    page,
    playground,
    ranking,
    responses,
    retrieve,
    tei,
    vector_store_files,
    vector_stores,
)
from retriton_pipeline.gateway.services.api_keys import ApiKeys
from retriton_pipeline.gateway.services.attachment_ingestion import AttachmentIngestion
from retriton_pipeline.gateway.services.attachments import Attachments
from retriton_pipeline.gateway.services.collections import Collections
from retriton_pipeline.gateway.services.deletion import Deletion
from retriton_pipeline.gateway.services.embedding import TextEmbedding
from retriton_pipeline.gateway.services.file_search import FileSearch
from retriton_pipeline.gateway.services.files import Files
from retriton_pipeline.gateway.services.health import HealthProbes
from retriton_pipeline.gateway.services.parsed_files import ParsedFiles
from retriton_pipeline.gateway.services.pending_answers import PendingAnswers
from retriton_pipeline.gateway.services.question_answering import QuestionAnswering
from retriton_pipeline.gateway.services.reranking import Reranking
from retriton_pipeline.gateway.services.upload_jobs import UploadJobs
from retriton_pipeline.gateway.services.upstream import Upstream
from retriton_pipeline.gateway.services.vector_stores import VectorStores
from retriton_pipeline.gateway.settings import Settings
from retriton_pipeline.gateway.storage.database import Database
from retriton_pipeline.tokens import token_counter

_OTHER_THREADS = 16  # for uploads, and for opening and closing collections


def create_app(settings: Settings) -> ASGIApp:
    """The gateway as an ASGI application.

    Raises:
        PipelineError: the file of API keys is invalid, or the tokenizer of prompts cannot be loaded.
    """
    if settings.prompt_tokenizer:
        token_counter(settings.prompt_tokenizer)  # so that a wrong one is noticed now, not by the first question
    metrics, keys = GatewayMetrics(), ApiKeys(settings.keys_file)
    services = _Services(settings, metrics)
    app = FastAPI(
        title="Retriton",
        lifespan=lambda app: services.running(),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        strict_content_type=False,
    )
    install_error_handlers(app)
    for routes in services.routers():
        app.include_router(routes)
    app.include_router(operations.router(services.probes, metrics))
    app.include_router(description.router(app))
    app.router.routes.append(mcp.route(services.mcp))
    app.mount("/static", page.PageFiles(directory=page.FOLDER), name="static")
    admission = AdmissionMiddleware(traced(app), settings, metrics)
    authentication = AuthenticationMiddleware(admission, keys, settings, metrics)
    logged = AccessLogMiddleware(allowing(settings.origins, authentication), metrics)
    gateway = ExpectationMiddleware(EquivalentsMiddleware(logged))
    services.mcp.connect(gateway)
    return SheddingMiddleware(gateway, metrics)


class _Services:
    """The services of one gateway."""

    def __init__(self, settings: Settings, metrics: GatewayMetrics) -> None:
        self._settings = settings
        self._upstream = Upstream(settings)
        self._embedding = TextEmbedding(self._upstream, settings)
        self._collections = Collections(settings, self._upstream)
        self._database = Database(settings.files_folder and settings.files_folder / "gateway.sqlite")
        self._jobs = UploadJobs(settings, self._upstream, metrics, self._database)
        self._files = Files(settings.files_folder, self._database, settings.bounds)
        self._vector_stores = VectorStores(self._database, self._collections, settings.bounds)
        self._ingestion = AttachmentIngestion(self._database, self._files, self._jobs)
        self._attachments = Attachments(
            self._database, self._files, self._ingestion, self._collections, settings.bounds
        )
        self._deletion = Deletion(self._database, self._files, self._vector_stores, self._attachments)
        self._pending = PendingAnswers(settings.bounds, metrics)
        self._question_answering = QuestionAnswering(settings, self._collections, metrics)
        self.mcp = mcp.McpEndpoint()
        self.probes = HealthProbes(settings, self._upstream, self._collections)

    def routers(self) -> list[APIRouter]:
        """The routes that need an API key. They are tried in turn, so the usual ones come first."""
        settings, parts = self._settings, (self._vector_stores, self._files, self._attachments)
        search = FileSearch(*parts, self._question_answering, self._upstream)
        parsed = ParsedFiles(self._collections, settings.bounds.body_bytes)
        reranking = Reranking(self._upstream, settings)
        return [
            embeddings.router(settings, self._upstream, self._embedding),
            retrieve.router(self._question_answering),
            ranking.router(reranking),
            chat.router(settings.llm, self._question_answering),
            cohere.router(self._embedding),
            tei.router(settings, self._upstream, self._embedding),
            playground.router(settings, self._upstream, self._pending),
            elasticsearch.router(self._embedding, reranking),
            documents.router(settings, self._collections, self._jobs),
            files.router(settings, self._files, self._jobs, self._deletion),
            vector_stores.router(settings.llm, *parts, self._deletion, search),
            vector_store_files.router(settings, *parts, parsed),
            file_batches.router(self._vector_stores, self._attachments),
            responses.router(settings, self._upstream, search),
            page.router(),
            jobs.router(self._jobs),
            models.router(settings, self._upstream),
        ]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Runs the background tasks; closes everything at the end."""
        threads = 2 * self._settings.bounds.retrievals + _OTHER_THREADS  # dense and BM25 searches run side by side
        executor = ThreadPoolExecutor(threads, thread_name_prefix="blocking")
        asyncio.get_running_loop().set_default_executor(executor)
        background = [
            asyncio.ensure_future(task)
            for task in (
                self._jobs.run(),
                self._collections.lend_file(),
                self._pending.expire(),
                self._ingestion.run(),
                self._deletion.run(),
            )
        ]
        async with self.mcp.running():
            yield
        self._pending.close()
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await self._collections.close()
        await self._database.close()
        await self._upstream.close()
