"""Uploads into collections: each is a job that waits for its turn, and says how far it is."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
import time
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from retriton_client import AsyncClient, EncoderInfo, Retry
from retriton_pipeline.chunking import ChunkSize
from retriton_pipeline.documents import size_of
from retriton_pipeline.gateway.http.errors import RETRY_AFTER_S, Refused, refusal
from retriton_pipeline.gateway.metrics import GatewayMetrics
from retriton_pipeline.gateway.services.upload_folder import new_spool
from retriton_pipeline.gateway.services.upstream import Served
from retriton_pipeline.gateway.settings import Settings
from retriton_pipeline.ingest import Ingestion, Progress, Reader
from retriton_pipeline.store import Store

log = logging.getLogger("retriton.gateway")
_KEPT_MAX = 1000  # jobs that have ended
_TIMEOUT_S = 300.0
_PATIENCE = Retry(attempts_max=60)  # a restart of the server does not end a job


class State(StrEnum):
    """Of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass
class Job:
    """An upload on its way into a collection.

    Attributes:
        owner: whose key sent it; nobody else sees it.
        folder: where its files wait.
        progress: how far it is.
        result: the report of the ingestion.
        error: why it failed.
    """

    id: str
    owner: str
    collection: str
    folder: Path
    bytes_total: int
    state: State = State.QUEUED
    created_s: float = field(default_factory=time.time)
    progress: Progress = field(default_factory=lambda: Progress(0, 0, 0, 0))
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    work: asyncio.Task[None] | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state not in (State.QUEUED, State.RUNNING)


class Jobs:
    """Ingests uploads, one after the other."""

    def __init__(self, settings: Settings, served: Served, metrics: GatewayMetrics) -> None:
        self._settings = settings
        self._served = served
        self._metrics = metrics
        self._spool = new_spool()
        self._current = self._spool / "current"
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._queue: asyncio.Queue[Job] = asyncio.Queue()
        self._reader: tuple[str, Reader] | None = None

    def folder(self) -> Path:
        """A new, empty folder for the files of an upload.

        Raises:
            Refused: too many uploads wait.
        """
        if (waiting := sum(job.state is State.QUEUED for job in self._jobs.values())) >= self._settings.bounds.jobs:
            raise Refused(
                429,
                "too_many_jobs",
                f"{waiting} uploads wait, at most {self._settings.bounds.jobs} may: try again later",
                retry_after_s=10 * RETRY_AFTER_S,
            )
        return Path(tempfile.mkdtemp(dir=self._spool))

    def add(self, owner: str, collection: str, folder: Path) -> Job:
        """A job for the files in ``folder``."""
        size = sum(map(size_of, folder.iterdir()))
        job = Job(f"job-{uuid.uuid4().hex}", owner, collection, folder, size)
        self._jobs[job.id] = job
        self._queue.put_nowait(job)
        self._forget_old()
        self._gauge()
        return job

    def get(self, owner: str, job_id: str) -> Job:
        """The job of that id.

        Raises:
            Refused: the owner has none.
        """
        job = self._jobs.get(job_id)
        if job is None or job.owner != owner:
            raise Refused(404, "job_not_found", "there is no such job, or not any more")
        return job

    def of(self, owner: str) -> Sequence[Job]:
        """The owner's jobs, the latest first."""
        return [job for job in reversed(self._jobs.values()) if job.owner == owner]

    def cancel(self, job: Job) -> None:
        """Ends a job; what it has stored stays."""
        if job.state is State.QUEUED:
            self._end(job, State.CANCELLED)
        elif job.work is not None:
            job.work.cancel()

    async def run(self) -> None:
        """Works until it is cancelled."""
        try:
            while True:
                job = await self._queue.get()
                if not job.is_over:
                    await self._work(job)
        finally:
            for job in self._jobs.values():
                self.cancel(job)
            await asyncio.to_thread(self._close_reader)
            shutil.rmtree(self._spool, ignore_errors=True)

    async def _work(self, job: Job) -> None:
        job.work = asyncio.ensure_future(self._ingest(job))
        await asyncio.wait((job.work,))
        try:
            await self._conclude(job, job.work)
        except Exception:
            log.exception("job %s could not be concluded", job.id)

    async def _ingest(self, job: Job) -> None:
        job.state = State.RUNNING
        self._gauge()
        encoder = await self._served.encoder()
        reader = await asyncio.to_thread(self._ready_reader, encoder)
        job.folder = job.folder.rename(self._current)
        opening = asyncio.ensure_future(asyncio.to_thread(self._open, job.collection, encoder))
        try:
            job.result = await self._into(await asyncio.shield(opening), reader, job)
        finally:  # also if the job was given up while it was opened
            store = await opening
            await asyncio.to_thread(store.close)

    async def _conclude(self, job: Job, work: asyncio.Task[None]) -> None:
        if work.cancelled():
            self._end(job, State.CANCELLED)
            await asyncio.to_thread(self._close_reader)  # it is in the middle of something
        elif (error := work.exception()) is not None:
            job.error = refusal(error).as_json()
            self._end(job, State.FAILED)
        else:
            self._end(job, State.SUCCEEDED)

    async def _into(self, store: Store, reader: Reader, job: Job) -> dict[str, Any]:
        def show(progress: Progress) -> None:
            job.progress = progress

        settings = self._settings
        async with AsyncClient(settings.url, timeout_s=_TIMEOUT_S, retry=_PATIENCE, tls=settings.tls) as client:
            report = await Ingestion(client, store, reader, on_progress=show).run(sorted(self._current.iterdir()))
        self._metrics.ingest_documents.inc(report.documents)
        self._metrics.ingest_chunks.inc(report.chunks)
        return report.as_json()

    def _open(self, collection: str, encoder: EncoderInfo) -> Store:
        with ExitStack() as undo:
            store = Store(self._settings.milvus, collection, self._settings.milvus_token)
            undo.callback(store.close)
            store.open(encoder, create=True)
            undo.pop_all()
        return store

    def _ready_reader(self, encoder: EncoderInfo) -> Reader:
        if self._reader and self._reader[0] != encoder.fingerprint:
            self._close_reader()
        if self._reader is None:
            size = ChunkSize.of(min(ChunkSize.tokens, encoder.max_tokens))
            self._reader = encoder.fingerprint, Reader(encoder, size, workers=1, base=self._current)
        return self._reader[1]

    def _close_reader(self) -> None:
        if self._reader:
            self._reader[1].close()
            self._reader = None

    def _end(self, job: Job, state: State) -> None:
        job.state = state
        shutil.rmtree(job.folder, ignore_errors=True)
        self._gauge()
        log.info("job", extra={"job": job.id, "key": job.owner, "state": state, "collection": job.collection})

    def _forget_old(self) -> None:
        over = [job.id for job in self._jobs.values() if job.is_over]
        for job_id in over[: max(0, len(over) - _KEPT_MAX)]:
            del self._jobs[job_id]

    def _gauge(self) -> None:
        for state in State:
            count = sum(job.state is state for job in self._jobs.values())
            self._metrics.ingest_jobs.labels(state).set(count)
