"""Upload jobs on the disk: their files and records survive the gateway, and several gateways share them."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from retriton_pipeline.chunking import ChunkSize
from retriton_pipeline.gateway.services.job import Job, JobState
from retriton_pipeline.gateway.services.upload_folder import UploadFolders, write_through
from retriton_pipeline.gateway.storage.database import Database, StorageError
from retriton_pipeline.gateway.storage.jobs import LEASE_S, JobRecord, JobRecords
from retriton_pipeline.ingest import Progress

RENEW_S = 3.0
_JOB_PREFIX = "job-"


class DurableJobs:
    """The jobs of all gateways that share a folder. Each is in the queue of one of them, its holder.

    A holder is known by the folder of its process: once that is gone, or the lease has ended, another gateway takes
    its jobs over. The files of a job are in a folder that is named by its id.

    Args:
        database: has the records.
        folders: has the files.
    """

    def __init__(self, database: Database, folders: UploadFolders) -> None:
        self._database = database
        self._records = JobRecords(database)
        self._folders = folders

    async def keep(self, job: Job) -> None:
        """Moves the files of a new job to their place, and adds its record: both are on the disk afterwards.

        Raises:
            StorageError: it cannot be written; the files are removed.
        """
        source, target = job.folder, self._folder(job.id)

        def place() -> None:
            source.rename(target)
            write_through(target.parent)

        job.is_durable, job.folder = True, target
        try:
            await asyncio.to_thread(lambda: write_through(*source.iterdir(), source))
            await self._records.add(self._record(job), place)
        except (StorageError, OSError) as error:
            await asyncio.to_thread(_remove, source, target)
            raise StorageError(str(error)) from error

    async def get(self, owner: str, job_id: str) -> Job | None:
        """The owner's job; None if there is none of that id. Raises `StorageError`."""
        record = await self._records.get(owner, job_id) if self._database.exists else None
        return self._job(record) if record else None

    async def owned_by(self, owner: str) -> list[Job]:
        """The owner's jobs, the latest first. Raises `StorageError`."""
        records = await self._records.owned_by(owner) if self._database.exists else []
        return [self._job(record) for record in records]

    async def renew(self, jobs: Sequence[Job]) -> set[str]:
        """Renews the leases of jobs that this gateway holds; the ids of those that it holds no longer."""
        return await self._records.renew([self._record(job) for job in jobs]) if jobs else set()

    async def claim(self) -> list[Job]:
        """Takes over the jobs of gateways that have ended. Raises `StorageError`."""
        if not self._database.exists:
            return []
        holder = self._folders.own.name
        await asyncio.to_thread(self._folders.remove_abandoned)
        return [self._job(one) for one in await self._records.claim(holder, time.time(), self._folders.is_alive)]

    async def finish(self, job: Job) -> bool:
        """Records how a job ended; False if this gateway does not hold it any more. Raises `StorageError`."""
        return await self._records.finish(self._record(job), self._folders.own.name)

    async def cancel(self, job: Job) -> bool:
        """Cancels a job of any gateway; False if it has ended. Its holder stops with the next renewal."""
        record = self._record(job, JobState.CANCELLED)
        is_cancelled = await self._records.finish(record)
        if is_cancelled:
            await asyncio.to_thread(_remove, job.folder)
        return is_cancelled

    async def remove_files_without_job(self) -> None:
        """Removes what was left behind when a gateway was killed between two steps. Raises `StorageError`."""

        def remove(ids: set[str]) -> None:
            found = self._folders.base.glob(f"{_JOB_PREFIX}*")
            _remove(*(folder for folder in found if folder.name not in ids))

        if self._database.exists:
            await self._records.clean(remove)

    def _folder(self, job_id: str) -> Path:
        return self._folders.base / job_id

    def _record(self, job: Job, state: JobState | None = None) -> JobRecord:
        size = job.chunk_size
        return JobRecord(
            id=job.id,
            owner=job.owner,
            collection=job.collection,
            created_at=job.created_s,
            bytes=job.bytes_total,
            holder=self._folders.own.name,
            lease_until=time.time() + LEASE_S,
            state=state or job.state,
            bytes_done=job.progress.bytes_done,
            documents=job.progress.documents,
            chunks=job.progress.chunks,
            metadata=job.metadata,
            chunk_tokens=size.tokens if size else None,
            overlap_tokens=size.overlap_tokens if size else None,
            result=job.result,
            error=job.error,
        )

    def _job(self, record: JobRecord) -> Job:
        size = ChunkSize(record.chunk_tokens, record.overlap_tokens or 0) if record.chunk_tokens else None
        return Job(
            id=record.id,
            owner=record.owner,
            collection=record.collection,
            folder=self._folder(record.id),
            bytes_total=record.bytes,
            state=JobState(record.state),
            created_s=record.created_at,
            progress=Progress(record.bytes_done, record.bytes, record.documents, record.chunks, 0),
            result=record.result,
            error=record.error,
            metadata=record.metadata,
            chunk_size=size,
            is_durable=True,
        )


def _remove(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
