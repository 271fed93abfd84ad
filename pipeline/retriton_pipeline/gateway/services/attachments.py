"""The files of vector stores: they are attached at once, and ingested afterwards (see `attachment_ingestion`)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from retriton_pipeline.chunking import ChunkSize
from retriton_pipeline.documents import Scalar
from retriton_pipeline.errors import NoSuchCollection
from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.services.attachment_ingestion import AttachmentIngestion
from retriton_pipeline.gateway.services.collections import Collections
from retriton_pipeline.gateway.services.files import Files
from retriton_pipeline.gateway.settings import Bounds
from retriton_pipeline.gateway.storage.attachments import (
    Attachment,
    AttachmentRecords,
    AttachmentStatus,
    Batch,
    Counts,
)
from retriton_pipeline.gateway.storage.database import Database
from retriton_pipeline.gateway.storage.files import FileRecord
from retriton_pipeline.gateway.storage.identifiers import new_id
from retriton_pipeline.gateway.storage.pages import Cursor, Page

_POLL_S = 0.05


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
    """Attaches files to vector stores, and detaches them.

    Args:
        database: has the records.
        files: has the contents.
        ingestion: of what is attached.
        collections: has the documents.
        bounds: limits the files of a vector store.
    """

    def __init__(
        self,
        database: Database,
        files: Files,
        ingestion: AttachmentIngestion,
        collections: Collections,
        bounds: Bounds,
    ) -> None:
        self._records = AttachmentRecords(database)
        self._files = files
        self._ingestion = ingestion
        self._collections = collections
        self._bounds = bounds

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
        await self._halt(*records)
        await self._records.put(records, batch if in_batch else None)
        self._ingestion.wake()
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
        await self._ingestion.stop(await self._records.cancel(batch.vector_store, batch.id))

    async def cancel_all(self, vector_store: str) -> None:
        """Cancels what is not ingested yet of a vector store."""
        await self._ingestion.stop(await self._records.cancel(vector_store))

    async def set_attributes(self, record: Attachment, attributes: Mapping[str, Scalar], wait_s: float) -> Attachment:
        """Ingests a file again, with other attributes; waits for that, but not longer than ``wait_s`` seconds."""
        await self._halt(record)
        await self._records.put([record.again(attributes)])
        self._ingestion.wake()
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

    async def _halt(self, *records: Attachment) -> None:
        """Stops ingestions so that they are not begun again, by any gateway."""
        await self._records.halt(records)
        await self._ingestion.stop(records)


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
