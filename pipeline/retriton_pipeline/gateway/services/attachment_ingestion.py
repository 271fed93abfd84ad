"""Ingestion of the files of vector stores, also after a restart, and again after a temporary failure."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from retriton_pipeline.chunking import ChunkSize
from retriton_pipeline.documents import SUFFIXES
from retriton_pipeline.gateway.retries import pause_s
from retriton_pipeline.gateway.services.durable_jobs import RENEW_S
from retriton_pipeline.gateway.services.files import Files
from retriton_pipeline.gateway.services.job import Job, JobState
from retriton_pipeline.gateway.services.upload_folder import link_file
from retriton_pipeline.gateway.services.upload_jobs import UploadJobs
from retriton_pipeline.gateway.storage.attachment_leases import AttachmentKey, AttachmentLeases
from retriton_pipeline.gateway.storage.attachments import Attachment, AttachmentStatus
from retriton_pipeline.gateway.storage.database import Database, StorageError

log = logging.getLogger("retriton.gateway")
_POLL_S = 0.1  # while another gateway stops
_RETRY_S = 5.0  # after the storage failed


class AttachmentIngestion:
    """Ingests files in progress: one of each key at a time, in turn with its uploads.

    Of the gateways that share a folder, one ingests a file, under a lease. Once its process has ended, or the lease,
    another takes the file over.

    Args:
        database: has the records.
        files: has the contents.
        jobs: ingests.
    """

    def __init__(self, database: Database, files: Files, jobs: UploadJobs) -> None:
        self._database = database
        self._files = files
        self._jobs = jobs
        self._leases = AttachmentLeases(database, lambda: jobs.folders.own.name)
        self._active: dict[AttachmentKey, asyncio.Task[bool]] = {}
        self._owners: dict[str, asyncio.Task[None]] = {}
        self._has_next = asyncio.Event()

    def wake(self) -> None:
        """Looks for files in progress at once."""
        self._has_next.set()

    async def stop(self, records: Sequence[Attachment]) -> None:
        """Stops the ingestion of files that are not in progress any more; returns when no gateway works on them."""
        keys = [(record.vector_store, record.id) for record in records]
        if tasks := [self._active[key] for key in keys if key in self._active]:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        while await self._leases.is_held_elsewhere(records, time.time()):
            await asyncio.sleep(_POLL_S)
            await self._end_abandoned()

    async def run(self) -> None:
        """Ingests what is in progress; runs until it is cancelled."""
        try:
            while True:
                self._has_next.clear()
                if self._database.exists:
                    await self._look()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(RENEW_S):
                        await self._has_next.wait()
        finally:
            for task in (*self._owners.values(), *self._active.values()):
                task.cancel()

    async def _look(self) -> None:
        """Renews the leases of this gateway, and starts the work for each owner whose files are due."""
        try:
            for key in await self._leases.renew(self._active, time.time()):
                if key in self._active:
                    self._active[key].cancel()
            await self._end_abandoned()
            owners = await self._leases.waiting_owners(time.time())
        except (StorageError, OSError) as error:
            log.error("storage_unavailable: %s", error)
            return
        for owner in owners:
            if owner not in self._owners:
                self._owners[owner] = asyncio.ensure_future(self._work(owner))

    async def _end_abandoned(self) -> None:
        folders = self._jobs.folders
        await asyncio.to_thread(folders.remove_abandoned)
        await self._leases.end_abandoned(folders.is_alive)

    async def _work(self, owner: str) -> None:
        """Ingests the owner's files, one after the other, until none is due. While all fail, there are pauses."""
        failures = 0
        try:
            while (record := await self._leases.claim(owner, time.time())) is not None:
                key = record.vector_store, record.id
                task = self._active[key] = asyncio.ensure_future(self._ingest(record))
                await asyncio.wait((task,))
                del self._active[key]
                if task.cancelled():
                    await self._leases.finish(record)
                    continue
                failures = 0 if task.result() else failures + 1
                if failures > 1:  # it is not this file
                    await asyncio.sleep(pause_s(failures))
        except StorageError as error:
            log.error("storage_unavailable: %s", error)
            await asyncio.sleep(_RETRY_S)
        finally:
            del self._owners[owner]
            self._has_next.set()  # for a file that was attached since the last look

    async def _ingest(self, record: Attachment) -> bool:
        """Ingests a file, and records how that ended; False if it is to be tried again. Raises `StorageError`."""
        name = (await self._files.names(record.owner, [record.id])).get(record.id, "")
        folder = self._jobs.new_folder()
        try:
            (folder / record.id).mkdir()
            await asyncio.to_thread(link_file, self._files.content(record.id), folder / record.id / name)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            if not self._files.content(record.id).exists():
                await self._leases.finish(record, **_failure("server_error", "its content was lost"))
                return True
            raise StorageError(f"{record.id}: {error}") from error
        size = None
        if record.chunk_tokens:
            size = ChunkSize(record.chunk_tokens, record.overlap_tokens or 0)
        job = self._jobs.add(record.owner, record.vector_store, folder, record.attributes, size)
        try:
            await job.ended.wait()
        except asyncio.CancelledError:
            await self._jobs.cancel(job)
            await job.ended.wait()
            raise
        if job.is_retryable and job.error is not None:
            reason = {"error_code": "server_error", "error_message": str(job.error["message"])}
            await self._leases.postpone(record, time.time(), **reason)
            return False
        await self._leases.finish(record, **_outcome(job, name))
        return True


def _outcome(job: Job, name: str) -> dict[str, str | None]:
    """The changes of a record after its job."""
    if job.state is JobState.CANCELLED:
        return {"status": AttachmentStatus.CANCELLED}
    if job.error is not None:
        return _failure("server_error", str(job.error["message"]))
    report = job.result or {}
    if report["added"] or report["replaced"] or report["unchanged"]:
        return {"status": AttachmentStatus.COMPLETED, "error_code": None, "error_message": None}
    code = "invalid_file" if Path(name).suffix.lower() in SUFFIXES else "unsupported_file"
    reasons = [entry["reason"] for entry in report["skipped"]] or ["it holds no document"]
    return _failure(code, f"{name}: {reasons[0]}")


def _failure(code: str, message: str) -> dict[str, str | None]:
    return {"status": AttachmentStatus.FAILED, "error_code": code, "error_message": message}
