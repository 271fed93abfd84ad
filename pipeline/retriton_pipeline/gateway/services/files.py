"""Uploaded files that are kept: their contents in a folder, their records beside them."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.datastructures import UploadFile

from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.fairness import Shares
from retriton_pipeline.gateway.services.uploaded_files import name_of
from retriton_pipeline.gateway.settings import Bounds
from retriton_pipeline.gateway.storage.database import Database, StorageError
from retriton_pipeline.gateway.storage.files import FileRecord, FileRecords
from retriton_pipeline.gateway.storage.identifiers import new_id
from retriton_pipeline.gateway.storage.pages import Cursor, Page

_BLOCK_BYTES = 1 << 18


class Files:
    """The files of all keys; each key sees its own.

    Args:
        folder: of their contents; None if the gateway has none.
        database: has their records.
        bounds: limits their number and bytes.
    """

    def __init__(self, folder: Path | None, database: Database, bounds: Bounds) -> None:
        self._folder = folder or Path()  # without a folder, the database refuses everything first
        self._records = FileRecords(database)
        self._bounds = bounds

    async def add(self, owner: str, upload: UploadFile, purpose: str, lives_s: int | None = None) -> FileRecord:
        """Keeps an uploaded file.

        Args:
            owner: the name of the key.
            upload: the file.
            purpose: as the client gave it.
            lives_s: seconds until it is deleted; None for never.

        Raises:
            ApiError: its name is invalid, or a limit is reached.
            StorageError: it cannot be written.
        """
        name, size, now_s = name_of(upload, "file"), upload.size or 0, int(time.time())
        await self._check_room(owner, size)
        expires_at = now_s + lives_s if lives_s else None
        record = FileRecord(new_id("file-"), owner, name, purpose, size, now_s, expires_at)
        target = self.content(record.id)
        try:
            await asyncio.to_thread(_write, upload, target)
            await self._records.add(record)
        except OSError as error:
            raise StorageError(f"{target}: {error}") from error
        except BaseException:
            await asyncio.to_thread(target.unlink, missing_ok=True)
            raise
        return record

    async def get(self, owner: str, id_: str) -> FileRecord:
        """The owner's file. Raises `ApiError` if there is none of that id."""
        return (await self.get_all(owner, [id_]))[0]

    async def get_all(self, owner: str, ids: list[str]) -> list[FileRecord]:
        """The owner's files, in the order of ``ids``. Raises `ApiError` about ``file_id`` if one does not exist."""
        found = await self._records.get(owner, ids)
        for id_ in ids:
            if id_ not in found:
                raise ApiError(404, "file_not_found", f"there is no file {id_[:100]!r}", "file_id")
        return [found[id_] for id_ in ids]

    async def names(self, owner: str, ids: list[str]) -> dict[str, str]:
        """The names of the owner's files by id; those that do not exist are left out."""
        return {id_: record.filename for id_, record in (await self._records.get(owner, ids)).items()}

    async def page(self, owner: str, cursor: Cursor, purpose: str | None) -> Page[FileRecord]:
        """A page of the owner's files. Raises `UnknownCursor`."""
        return await self._records.page(owner, cursor, purpose)

    def content(self, id_: str) -> Path:
        """The file on the disk with the content of a file."""
        return self._folder / "contents" / id_

    async def blocks(self, record: FileRecord) -> AsyncIterator[bytes]:
        """The content of a file, in blocks. Raises `StorageError` if it cannot be read."""
        try:
            stream = await asyncio.to_thread(self.content(record.id).open, "rb")
        except OSError as error:
            raise StorageError(f"{record.id}: {error}") from error
        with stream:
            while block := await asyncio.to_thread(stream.read, _BLOCK_BYTES):
                yield block

    async def delete(self, record: FileRecord) -> None:
        """Deletes a file that is in no vector store any more. Raises `StorageError`."""
        await self._records.delete(record.id)
        try:
            await asyncio.to_thread(self.content(record.id).unlink, missing_ok=True)
        except OSError as error:
            raise StorageError(f"{record.id}: {error}") from error

    async def expired(self) -> list[FileRecord]:
        """Files of all keys whose time is over."""
        return await self._records.expired(time.time())

    async def _check_room(self, owner: str, size: int) -> None:
        number, total = Shares(self._bounds.files), Shares(self._bounds.files_bytes)
        for key, (files, bytes_) in (await self._records.usage()).items():
            number.add(key, files)
            total.add(key, bytes_)
        used = f"{number.used} files of {total.used} bytes are kept"
        if not (number.take(owner, 1) and total.take(owner, size)):
            limits = f"the limits are {number.total} files and {total.total} bytes, and a key may have eight times as "
            message = f"{used}; {limits}much as is left: delete files that are not needed"
            raise ApiError(400, "storage_full", message, "file")


def _write(upload: UploadFile, target: Path) -> None:
    """Writes a file so that it is on the disk, whole, before its record is."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with target.open("xb") as stream:
            shutil.copyfileobj(upload.file, stream)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        target.unlink(missing_ok=True)
        raise
