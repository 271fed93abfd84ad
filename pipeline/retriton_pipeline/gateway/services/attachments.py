"""The files of vector stores: they are attached at once, and ingested one after the other, also after a restart."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from retriton_pipeline.chunking import ChunkSize
from retriton_pipeline.documents import SUFFIXES, Scalar
from retriton_pipeline.errors import NoSuchCollection
from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.services.collections import Collections
from retriton_pipeline.gateway.services.files import Files
from retriton_pipeline.gateway.services.job import Job, JobState
from retriton_pipeline.gateway.services.upload_folder import link_file
from retriton_pipeline.gateway.services.upload_jobs import UploadJobs
from retriton_pipeline.gateway.settings import Bounds
from retriton_pipeline.gateway.storage.attachments import (
    Attachment,
    AttachmentRecords,
    AttachmentStatus,
    Batch,
    Counts,
)
from retriton_pipeline.gateway.storage.database import Database, StorageError
from retriton_pipeline.gateway.storage.files import FileRecord
from retriton_pipeline.gateway.storage.identifiers import new_id
from retriton_pipeline.gateway.storage.pages import Cursor, Page

log = logging.getLogger("retriton.gateway")
_POLL_S = 0.05
_RETRY_S = 5.0  # after the storage failed
_Key = tuple[str, str]  # vector store and file


@dataclass(frozen=True)
class NewAttachment:
    """A file to attach.

    Attributes:
        file_id: of the file.
        attributes: metadata of its documents.
        chunk_size: of its chunks; None for the default.
    """

    file_id: str
    attributes: Mapping[str, Scalar]
    chunk_size: ChunkSize | None = None


class Attachments:
    """Attaches files to vector stores, and ingests them: one of each key at a time, in turn with its uploads.

    Args:
        database: has the records.
        files: has the contents.
        jobs: ingests.
        collections: has the documents.
        bounds: limits the files of a vector store.
    """

    def __init__(
        self, database: Database, files: Files, jobs: UploadJobs, collections: Collections, bounds: Bounds
    ) -> None:
        self._database = database
        self._records = AttachmentRecords(database)
        self._files = files
        self._jobs = jobs
        self._collections = collections
        self._bounds = bounds
        self._active: dict[_Key, asyncio.Task[None]] = {}
        self._owners: dict[str, asyncio.Task[None]] = {}
        self._has_next = asyncio.Event()

    async def attach(
        self, owner: str, vector_store: str, new: Sequence[NewAttachment], in_batch: bool = False
    ) -> tuple[list[Attachment], Batch]:
        """Attaches files; those that the vector store has already are ingested again.

        Returns:
            The attachments, in progress; and their batch, which is only kept if ``in_batch``.

        Raises:
            ApiError: a file does not exist, or the vector store would have too many.
        """
        files = await self._files.get_all(owner, [one.file_id for one in new])
        total = (await self._records.counts(vector_store)).total + len(new)
        if total > (limit := self._bounds.vector_store_files):
            raise ApiError(400, "storage_full", f"the vector store would have {total} files, the limit is {limit}")
        batch = Batch(new_id("vsfb_"), vector_store, int(time.time()))
        records = [
            _record(one, file, batch, in_batch)
            for one, file in {one.file_id: (one, file) for one, file in zip(new, files, strict=True)}.values()
        ]
        for record in records:
            await self._halt(record)
        await self._records.put(records, batch if in_batch else None)
        self._has_next.set()
        return records, batch

    async def get(self, vector_store: str, file_id: str) -> Attachment:
        """A file of a vector store. Raises `ApiError` if the vector store does not have it."""
        found = (await self._records.get(vector_store, [file_id])).get(file_id)
        if found is None:
            message = f"the vector store {vector_store} has no file {file_id[:100]!r}"
            raise ApiError(404, "file_not_found", message, "file_id")
        return found

    async def get_all(self, vector_store: str, ids: Sequence[str]) -> dict[str, Attachment]:
        """Files of a vector store by id; those that it does not have are left out."""
        return await self._records.get(vector_store, ids)

    async def page(
        self, vector_store: str, cursor: Cursor, status: AttachmentStatus | None, batch: Batch | None = None
    ) -> Page[Attachment]:
        """A page of a vector store's files, or of those of a batch. Raises `UnknownCursor`."""
        return await self._records.page(vector_store, cursor, status, batch.id if batch else None)

    async def batch(self, vector_store: str, id_: str) -> tuple[Batch, Counts]:
        """A batch, and how far it is. Raises `ApiError` if the vector store has none of that id."""
        found = await self._records.batch(vector_store, id_)
        if found is None:
            raise ApiError(404, "batch_not_found", f"there is no file batch {id_[:100]!r}", "batch_id")
        return found, await self._records.counts(vector_store, found.id)

    async def cancel(self, batch: Batch) -> None:
        """Cancels what is not ingested yet of a batch."""
        for record in await self._records.cancel(batch.vector_store, batch.id):
            await self._stop(record)

    async def cancel_all(self, vector_store: str) -> None:
        """Cancels what is not ingested yet of a vector store."""
        for record in await self._records.cancel(vector_store):
            await self._stop(record)

    async def set_attributes(self, record: Attachment, attributes: Mapping[str, Scalar], wait_s: float) -> Attachment:
        """Ingests a file again, with other attributes; waits for that, but not longer than ``wait_s`` seconds."""
        await self._halt(record)
        await self._records.put([replace(record, attributes=attributes, status=AttachmentStatus.IN_PROGRESS)])
        self._has_next.set()
        deadline_s = time.monotonic() + wait_s
        while True:
            found = await self.get(record.vector_store, record.id)
            if found.status is not AttachmentStatus.IN_PROGRESS or time.monotonic() > deadline_s:
                return found
            await asyncio.sleep(_POLL_S)

    async def detach(self, record: Attachment) -> None:
        """Removes a file from a vector store. Raises `StoreError`."""
        await self._halt(record)
        folder = folder_of(record.id)
        with contextlib.suppress(NoSuchCollection):  # nothing was ingested
            await self._collections.with_store(record.vector_store, lambda store: store.delete_folder(folder))
        await self._records.delete(record)

    async def detach_everywhere(self, file: FileRecord) -> None:
        """Removes a file from all vector stores. Raises `StoreError`."""
        for record in await self._records.of_file(file.id):
            await self.detach(record)

    async def run(self) -> None:
        """Ingests what is in progress, also from before a restart; runs until it is cancelled."""
        try:
            while True:
                self._has_next.clear()
                await self._start_work()
                await self._has_next.wait()
        finally:
            for task in (*self._owners.values(), *self._active.values()):
                task.cancel()

    async def _start_work(self) -> None:
        """Starts the work for each owner that waits."""
        try:
            owners = await self._records.waiting_owners() if self._database.exists else []
        except StorageError as error:
            await self._pause(error)
            return
        for owner in owners:
            if owner not in self._owners:
                self._owners[owner] = asyncio.ensure_future(self._work(owner))

    async def _work(self, owner: str) -> None:
        """Ingests the owner's files, one after the other, until none is in progress."""
        try:
            while (record := await self._records.next_of(owner)) is not None:
                key = record.vector_store, record.id
                task = self._active[key] = asyncio.ensure_future(self._ingest(record))
                await asyncio.wait((task,))
                del self._active[key]
                if not task.cancelled():
                    task.result()
        except StorageError as error:
            await self._pause(error)
        finally:
            del self._owners[owner]
            self._has_next.set()  # for a file that was attached since the last look

    async def _pause(self, error: StorageError) -> None:
        log.error("storage_unavailable: %s", error)
        await asyncio.sleep(_RETRY_S)
        self._has_next.set()

    async def _halt(self, record: Attachment) -> None:
        """Stops an ingestion so that it is not begun again."""
        await self._records.update(record, status=AttachmentStatus.CANCELLED)
        await self._stop(record)

    async def _stop(self, record: Attachment) -> None:
        if (task := self._active.get((record.vector_store, record.id))) is not None:
            task.cancel()
            await asyncio.wait((task,))

    async def _ingest(self, record: Attachment) -> None:
        """Ingests a file, and records how that ended. Raises `StorageError`."""
        name = (await self._files.names(record.owner, [record.id])).get(record.id, "")
        folder = self._jobs.new_folder()
        try:
            (folder / record.id).mkdir()
            await asyncio.to_thread(link_file, self._files.content(record.id), folder / record.id / name)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            if not self._files.content(record.id).exists():
                await self._records.update(record, **_failure("server_error", "its content was lost"))
                return
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
        await self._records.update(record, **_outcome(job, name))


def folder_of(file_id: str) -> str:
    """The location of a file's documents in a collection (see `Store.delete_folder`)."""
    return f"upload:{file_id}"


def _record(new: NewAttachment, file: FileRecord, batch: Batch, in_batch: bool) -> Attachment:
    size = new.chunk_size
    return Attachment(
        vector_store=batch.vector_store,
        id=file.id,
        owner=file.owner,
        bytes=file.bytes,
        created_at=batch.created_at,
        attributes=new.attributes,
        chunk_tokens=size.tokens if size else None,
        overlap_tokens=size.overlap_tokens if size else None,
        batch=batch.id if in_batch else None,
    )


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
