"""Upload jobs: a queue of uploads that are ingested one after the other."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from retriton_pipeline.documents import size_of
from retriton_pipeline.gateway.errors import RETRY_AFTER_S, ApiError, api_error
from retriton_pipeline.gateway.metrics import GatewayMetrics
from retriton_pipeline.gateway.schemas.errors import ErrorBody
from retriton_pipeline.gateway.services.job import Job, JobState
from retriton_pipeline.gateway.services.upload_folder import new_upload_folder
from retriton_pipeline.gateway.services.upload_ingestion import UploadIngestion
from retriton_pipeline.gateway.services.upstream import Upstream
from retriton_pipeline.gateway.settings import Settings

log = logging.getLogger("retriton.gateway")
_FINISHED_MAX = 1000  # finished jobs that are remembered


class UploadJobs:
    """Ingests uploads, one after the other."""

    def __init__(self, settings: Settings, upstream: Upstream, metrics: GatewayMetrics) -> None:
        self._jobs_max = settings.bounds.jobs
        self._metrics = metrics
        self._folder = new_upload_folder()
        self._ingestion = UploadIngestion(settings, upstream, metrics, self._folder / "current")
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._queue: asyncio.Queue[Job] = asyncio.Queue()

    def new_folder(self) -> Path:
        """A new, empty folder for the files of an upload.

        Raises:
            ApiError: the queue is full.
        """
        if (waiting := sum(job.state is JobState.QUEUED for job in self._jobs.values())) >= self._jobs_max:
            raise ApiError(
                429,
                "too_many_jobs",
                f"{waiting} uploads are in the queue, the limit is {self._jobs_max}: try again later",
                retry_after_s=10 * RETRY_AFTER_S,
            )
        return Path(tempfile.mkdtemp(dir=self._folder))

    def add(self, owner: str, collection: str, folder: Path) -> Job:
        """Queues the files in ``folder``."""
        size = sum(map(size_of, folder.iterdir()))
        job = Job(f"job-{uuid.uuid4().hex}", owner, collection, folder, size)
        self._jobs[job.id] = job
        self._queue.put_nowait(job)
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
                job = await self._queue.get()
                if not job.is_finished:
                    await self._work(job)
        finally:
            for job in self._jobs.values():
                self._cancel(job)
            await self._ingestion.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _cancel(self, job: Job) -> None:
        if job.state is JobState.QUEUED:
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
        shutil.rmtree(job.folder, ignore_errors=True)
        self._update_metrics()
        log.info("job", extra={"job": job.id, "key": job.owner, "state": state, "collection": job.collection})

    def _forget_old_jobs(self) -> None:
        finished = [job.id for job in self._jobs.values() if job.is_finished]
        for job_id in finished[: max(0, len(finished) - _FINISHED_MAX)]:
            del self._jobs[job_id]

    def _update_metrics(self) -> None:
        for state in JobState:
            count = sum(job.state is state for job in self._jobs.values())
            self._metrics.ingest_jobs.labels(state).set(count)
