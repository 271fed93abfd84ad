"""Upload jobs: a queue of uploads, of which those of a key are ingested one after the other, and keys take turns."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
import uuid
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from retriton_client import RetritonError
from retriton_pipeline.chunking import ChunkSize
from retriton_pipeline.documents import Scalar, size_of
from retriton_pipeline.gateway.errors import ApiError, api_error
from retriton_pipeline.gateway.fairness import RoundRobin
from retriton_pipeline.gateway.metrics import GatewayMetrics
from retriton_pipeline.gateway.retries import pause_s
from retriton_pipeline.gateway.schemas.errors import ErrorBody
from retriton_pipeline.gateway.services.durable_jobs import RENEW_S, DurableJobs
from retriton_pipeline.gateway.services.job import Job, JobState
from retriton_pipeline.gateway.services.upload_folder import UploadFolders
from retriton_pipeline.gateway.services.upload_ingestion import SIDE_BY_SIDE, UploadIngestion
from retriton_pipeline.gateway.services.upload_limits import Upload, UploadLimits
from retriton_pipeline.gateway.services.upstream import Upstream
from retriton_pipeline.gateway.settings import Settings
from retriton_pipeline.gateway.storage.database import Database, StorageError
from retriton_pipeline.gateway.storage.jobs import FINISHED_MAX, FINISHED_PER_KEY_MAX

log = logging.getLogger("retriton.gateway")
_RETRY_S = 5.0  # after the storage failed
_LOOK_S = 1.0  # for a job that may begin since another one has written chunks
_RETRIED_S_MAX = 24 * 3600.0  # since its upload, a job is tried again for so long after temporary failures


class UploadJobs:
    """Ingests uploads, two at a time, of different keys. If the gateway has a folder for files, they survive it there.

    Args:
        settings: of the gateway.
        upstream: what is served.
        metrics: counts jobs, documents and chunks.
        database: has the records, if the gateway has a folder for files.

    Attributes:
        limits: of the uploads that are received or wait.
        folders: the folders of this gateway, and which other gateways are alive.
    """

    def __init__(self, settings: Settings, upstream: Upstream, metrics: GatewayMetrics, database: Database) -> None:
        self.limits = UploadLimits(settings.bounds, self._waiting)
        self._upstream = upstream
        self._metrics = metrics
        base = settings.files_folder and settings.files_folder / "uploads"
        self.folders = UploadFolders(base)
        self._durable = DurableJobs(database, self.folders) if base else None
        self._ingestions = [
            UploadIngestion(settings, upstream, metrics, self.folders, number) for number in range(SIDE_BY_SIDE)
        ]
        self._running: list[Job] = []
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._queue: RoundRobin[Job] = RoundRobin()
        self._has_next = asyncio.Event()
        self._postponed: dict[tuple[str, str], list[Job]] = {}  # by owner and collection, with the jobs after it

    def new_folder(self) -> Path:
        """A new, empty folder for the files of an upload. Raises `StorageError`."""
        return self.folders.new()

    async def submit(self, owner: str, collection: str, folder: Path) -> Job:
        """Queues the files in ``folder`` for ``collection``; they and the job are on the disk, if there is a folder.

        Raises:
            StorageError: they cannot be written.
        """
        job = _new_job(owner, collection, folder)
        if self._durable:
            await self._durable.keep(job)
        self._enqueue(job)
        return job

    def add(
        self,
        owner: str,
        collection: str,
        folder: Path,
        metadata: Mapping[str, Scalar] | None = None,
        chunk_size: ChunkSize | None = None,
    ) -> Job:
        """Queues the files in ``folder``, in memory alone, once: for those that have a record elsewhere.

        A job that is to be tried again (see `Job.is_retryable`) is not among those of `owned_by`.

        Args:
            owner: the name of the key.
            collection: that they are ingested into.
            folder: is removed after the job.
            metadata: values for filters, for all documents.
            chunk_size: of their chunks; None for the default.
        """
        job = _new_job(owner, collection, folder)
        job.metadata, job.chunk_size, job.is_recorded_elsewhere = metadata or {}, chunk_size, True
        self._enqueue(job)
        return job

    async def get(self, owner: str, job_id: str) -> Job:
        """The job of that id.

        Raises:
            ApiError: the owner has no such job.
            StorageError: its record cannot be read.
        """
        job = self._jobs.get(job_id)
        if job is None and self._durable:
            job = await self._durable.get(owner, job_id)
        if job is None or job.owner != owner:
            raise ApiError(404, "job_not_found", "there is no such job, or it is no longer remembered")
        return job

    async def owned_by(self, owner: str) -> Sequence[Job]:
        """The owner's jobs, the latest first. Raises `StorageError`."""
        jobs = {job.id: job for job in await self._durable.owned_by(owner)} if self._durable else {}
        jobs |= {job.id: job for job in self._jobs.values() if job.owner == owner}
        return sorted(jobs.values(), key=lambda job: job.created_s, reverse=True)

    async def cancel(self, job: Job) -> None:
        """Cancels a job. Documents that are already stored are kept. Raises `StorageError`."""
        if self._durable and job.is_durable and not job.is_finished:
            is_cancelled = await self._durable.cancel(job)
            if job.id not in self._jobs:  # another gateway holds it
                job.state = JobState.CANCELLED if is_cancelled else job.state
                return
        self._cancel(job)
        await asyncio.sleep(0)  # lets the cancelled task run

    async def run(self) -> None:
        """Ingests the uploads in the queue; runs until it is cancelled."""
        sharing = asyncio.ensure_future(self._share(self._durable)) if self._durable else None
        try:
            await asyncio.gather(*map(self._take_turns, self._ingestions))
        finally:
            if sharing:
                sharing.cancel()
            for job in self._jobs.values():
                self._halt(job)
            for ingestion in self._ingestions:
                await ingestion.close()
            self.folders.remove()  # from now on, other gateways may take over the jobs

    async def _take_turns(self, ingestion: UploadIngestion) -> None:
        """Ingests one job after the other that waits for none of the running ones."""
        while True:
            while (job := self._queue.take(self._is_free)) is not None:
                if (later := self._postponed.get((job.owner, job.collection))) is not None:
                    later.append(job)  # its documents may replace those of the postponed job
                elif not job.is_finished:
                    await self._work(job, ingestion)
            self._has_next.clear()
            if ingestion is not self._ingestions[0]:
                await ingestion.close()  # its processes use memory, and are seldom needed
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S if self._running else None):
                    await self._has_next.wait()

    def _is_free(self, job: Job) -> bool:
        return not any(job.waits_for(running) for running in self._running)

    async def _share(self, durable: DurableJobs) -> None:
        """Renews the leases of the jobs of this gateway, and takes over those of gateways that have ended."""
        is_clean = False
        while True:
            try:
                if not is_clean:
                    await durable.remove_files_without_job()
                    is_clean = True
                held = [job for job in self._jobs.values() if job.is_durable and not job.is_finished]
                for job_id in await durable.renew(held):
                    self._lose(job_id)
                for job in await durable.claim() if await self._has_encoder() else ():
                    log.info("job", extra={"job": job.id, "key": job.owner, "state": "resumed"})
                    self._enqueue(job)
            except (StorageError, OSError) as error:
                log.error("storage_unavailable: %s", error)
            await asyncio.sleep(RENEW_S)

    async def _has_encoder(self) -> bool:
        """Whether the server is there: after a restart of both, jobs wait for it, and do not fail."""
        try:
            await asyncio.wait_for(self._upstream.encoder(), RENEW_S)
        except (RetritonError, TimeoutError):
            return False
        return True

    def _lose(self, job_id: str) -> None:
        """Drops a job that another gateway has cancelled or taken over."""
        job = self._jobs.get(job_id)
        if job is not None and not job.is_finished:
            del self._jobs[job_id]
            self._queue.discard(job.owner, job)
            if job.work is not None:
                job.work.cancel()
            self._update_metrics()

    def _enqueue(self, job: Job) -> None:
        self._jobs[job.id] = job
        self._queue.add(job.owner, job)
        self._has_next.set()
        self._forget_old_jobs()
        self._update_metrics()

    def _waiting(self) -> list[Upload]:
        return [(job.owner, job.bytes_total) for job in self._jobs.values() if job.state is JobState.QUEUED]

    def _cancel(self, job: Job) -> None:
        if job.state is JobState.QUEUED:
            self._queue.discard(job.owner, job)
            self._finish(job, JobState.CANCELLED)
        elif job.work is not None:
            job.work.cancel()

    def _halt(self, job: Job) -> None:
        """Ends a job with this gateway; one that has a record goes on with another, or after the restart."""
        if not job.is_durable:
            self._cancel(job)
        elif job.work is not None:
            job.work.cancel()

    async def _work(self, job: Job, ingestion: UploadIngestion) -> None:
        job.state = JobState.RUNNING
        self._update_metrics()
        job.work = asyncio.ensure_future(ingestion.run(job))
        self._running.append(job)
        try:
            await asyncio.wait((job.work,))
            await self._conclude(job, job.work, ingestion)
        finally:
            self._running.remove(job)
            self._has_next.set()  # for the jobs that waited for this one

    async def _conclude(self, job: Job, work: asyncio.Task[None], ingestion: UploadIngestion) -> None:
        if work.cancelled():
            await self._end(job, JobState.CANCELLED)
            await ingestion.close()  # its processes parse a file of the cancelled job
        elif (error := work.exception()) is not None:
            failure = api_error(error)
            job.error, job.is_retryable = ErrorBody.of(failure).model_dump(), failure.is_temporary
            await self._retry_or_fail(job)
            await ingestion.close()  # its processes may still parse a file of the failed job
        else:
            job.error = None
            await self._end(job, JobState.SUCCEEDED)

    async def _retry_or_fail(self, job: Job) -> None:
        is_recent = time.time() < job.created_s + _RETRIED_S_MAX
        if not job.is_retryable or job.is_recorded_elsewhere or not is_recent:
            await self._end(job, JobState.FAILED)
            if job.is_retryable and job.is_recorded_elsewhere:
                self._jobs.pop(job.id, None)
            return
        job.state, job.failures = JobState.QUEUED, job.failures + 1
        self._update_metrics()
        log.info("job", extra={"job": job.id, "key": job.owner, "state": "postponed", "collection": job.collection})
        self._postponed[job.owner, job.collection] = [job]
        asyncio.get_running_loop().call_later(pause_s(job.failures), self._resume, job.owner, job.collection)

    def _resume(self, owner: str, collection: str) -> None:
        jobs = self._postponed.pop((owner, collection))
        if waiting := [job for job in jobs if job.id in self._jobs and not job.is_finished]:
            self._queue.add_first(owner, waiting)
            self._has_next.set()

    async def _end(self, job: Job, state: JobState) -> None:
        """Records how a job ended before the next one begins: later uploads may replace its documents."""
        while self._durable and job.is_durable and state is not JobState.CANCELLED and job.id in self._jobs:
            try:
                if not await self._durable.finish(replace(job, state=state)):
                    self._lose(job.id)
                break
            except StorageError as error:
                log.error("storage_unavailable: %s", error)
                await asyncio.sleep(_RETRY_S)
        if job.id in self._jobs:
            self._finish(job, state)

    def _finish(self, job: Job, state: JobState) -> None:
        job.state = state
        job.ended.set()
        shutil.rmtree(job.folder, ignore_errors=True)
        self._update_metrics()
        log.info("job", extra={"job": job.id, "key": job.owner, "state": state, "collection": job.collection})

    def _forget_old_jobs(self) -> None:
        finished = [job for job in self._jobs.values() if job.is_finished]
        owned: Counter[str] = Counter()
        for number, job in enumerate(reversed(finished), 1):
            owned[job.owner] += 1
            if number > FINISHED_MAX or owned[job.owner] > FINISHED_PER_KEY_MAX:
                del self._jobs[job.id]

    def _update_metrics(self) -> None:
        for state in JobState:
            count = sum(job.state is state for job in self._jobs.values())
            self._metrics.ingest_jobs.labels(state).set(count)


def _new_job(owner: str, collection: str, folder: Path) -> Job:
    size = sum(size_of(file) for file in folder.rglob("*") if file.is_file())
    return Job(f"job-{uuid.uuid4().hex}", owner, collection, folder, size)
