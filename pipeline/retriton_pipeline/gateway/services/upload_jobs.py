"""Upload jobs: a queue of uploads that are ingested one after the other, one of each key in turn."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
import uuid
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from retriton_pipeline.chunking import ChunkSize
from retriton_pipeline.documents import Scalar, size_of
from retriton_pipeline.gateway.errors import RETRY_AFTER_S, ApiError, api_error
from retriton_pipeline.gateway.fairness import RoundRobin
from retriton_pipeline.gateway.metrics import GatewayMetrics
from retriton_pipeline.gateway.schemas.errors import ErrorBody
from retriton_pipeline.gateway.services.api_keys import ANONYMOUS
from retriton_pipeline.gateway.services.job import Job, JobState
from retriton_pipeline.gateway.services.upload_folder import new_upload_folder
from retriton_pipeline.gateway.services.upload_ingestion import UploadIngestion
from retriton_pipeline.gateway.services.upstream import Upstream
from retriton_pipeline.gateway.settings import Settings

log = logging.getLogger("retriton.gateway")
_FINISHED_MAX = 1000  # finished jobs that are remembered
_FINISHED_PER_KEY_MAX = 200


class UploadJobs:
    """Ingests uploads, one after the other."""

    def __init__(self, settings: Settings, upstream: Upstream, metrics: GatewayMetrics) -> None:
        self._bounds = settings.bounds
        self._receiving: list[tuple[str, int]] = []  # owner and bytes
        self._metrics = metrics
        self._folder = new_upload_folder()
        self._ingestion = UploadIngestion(settings, upstream, metrics, self._folder / "current")
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._queue: RoundRobin[Job] = RoundRobin()
        self._has_next = asyncio.Event()

    @contextmanager
    def receiving(self, owner: str, bytes_max: int) -> Iterator[None]:
        """An upload of at most ``bytes_max`` bytes, before and while its files are received.

        Raises:
            ApiError: the queue is full, or the owner's part of it.
        """
        self._check_room(owner, bytes_max)
        entry = (owner, bytes_max)
        self._receiving.append(entry)
        try:
            yield
        finally:
            self._receiving.remove(entry)

    def new_folder(self) -> Path:
        """A new, empty folder for the files of an upload."""
        return Path(tempfile.mkdtemp(dir=self._folder))

    def add(
        self,
        owner: str,
        collection: str,
        folder: Path,
        metadata: Mapping[str, Scalar] | None = None,
        chunk_size: ChunkSize | None = None,
    ) -> Job:
        """Queues the files in ``folder``.

        Args:
            owner: the name of the key.
            collection: that they are ingested into.
            folder: is removed after the job.
            metadata: values for filters, for all documents.
            chunk_size: of their chunks; None for the default.
        """
        size = sum(size_of(file) for file in folder.rglob("*") if file.is_file())
        job = Job(f"job-{uuid.uuid4().hex}", owner, collection, folder, size)
        job.metadata, job.chunk_size = metadata or {}, chunk_size
        self._jobs[job.id] = job
        self._queue.add(owner, job)
        self._has_next.set()
        self._forget_old_jobs()
        self._update_metrics()
        return job

    def get(self, owner: str, job_id: str) -> Job:
        """The job of that id.

        Raises:
            ApiError: the owner has no such job.
        """
        job = self._jobs.get(job_id)
        if job is None or job.owner != owner:
            raise ApiError(404, "job_not_found", "there is no such job, or it is no longer remembered")
        return job

    def owned_by(self, owner: str) -> Sequence[Job]:
        """The owner's jobs, the latest first."""
        return [job for job in reversed(self._jobs.values()) if job.owner == owner]

    async def cancel(self, job: Job) -> None:
        """Cancels a job. Documents that are already stored are kept."""
        self._cancel(job)
        await asyncio.sleep(0)  # lets the cancelled task run

    async def run(self) -> None:
        """Ingests the uploads in the queue; runs until it is cancelled."""
        try:
            while True:
                while (job := self._queue.take()) is not None:
                    if not job.is_finished:
                        await self._work(job)
                self._has_next.clear()
                await self._has_next.wait()
        finally:
            for job in self._jobs.values():
                self._cancel(job)
            await self._ingestion.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _check_room(self, owner: str, bytes_max: int) -> None:
        waiting = [(job.owner, job.bytes_total) for job in self._jobs.values() if job.state is JobState.QUEUED]
        waiting += self._receiving
        bounds = self._bounds
        _check_limits("", waiting, bytes_max, bounds.jobs, bounds.jobs_bytes)
        if owner != ANONYMOUS:
            own = [upload for upload in waiting if upload[0] == owner]
            _check_limits(" of your key", own, bytes_max, bounds.jobs_per_key, bounds.jobs_bytes_per_key)

    def _cancel(self, job: Job) -> None:
        if job.state is JobState.QUEUED:
            self._queue.discard(job.owner, job)
            self._finish(job, JobState.CANCELLED)
        elif job.work is not None:
            job.work.cancel()

    async def _work(self, job: Job) -> None:
        job.state = JobState.RUNNING
        self._update_metrics()
        job.work = asyncio.ensure_future(self._ingestion.run(job))
        await asyncio.wait((job.work,))
        if job.work.cancelled():
            self._finish(job, JobState.CANCELLED)
            await self._ingestion.close()  # its processes parse a file of the cancelled job
        elif (error := job.work.exception()) is not None:
            job.error = ErrorBody.of(api_error(error)).model_dump()
            self._finish(job, JobState.FAILED)
            await self._ingestion.close()  # its processes may still parse a file of the failed job
        else:
            self._finish(job, JobState.SUCCEEDED)

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
            if number > _FINISHED_MAX or owned[job.owner] > _FINISHED_PER_KEY_MAX:
                del self._jobs[job.id]

    def _update_metrics(self) -> None:
        for state in JobState:
            count = sum(job.state is state for job in self._jobs.values())
            self._metrics.ingest_jobs.labels(state).set(count)


def _check_limits(whose: str, uploads: Sequence[tuple[str, int]], size: int, count_max: int, bytes_max: int) -> None:
    waiting_bytes = sum(upload[1] for upload in uploads)
    if len(uploads) < count_max and waiting_bytes + size <= bytes_max:
        return
    message = (
        f"{len(uploads)} uploads{whose} of {waiting_bytes} bytes are in the queue, the limits are {count_max} and "
    )
    message += f"{bytes_max} bytes: try again later"
    raise ApiError(429, "too_many_jobs", message, retry_after_s=10 * RETRY_AFTER_S)
