"""Records of the files in vector stores, and of the batches that they were attached in.

Which gateway ingests a file is in the same table (see `attachment_leases`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from retriton_pipeline.documents import Scalar
from retriton_pipeline.gateway.storage.database import Database
from retriton_pipeline.gateway.storage.pages import Cursor, Page, page_of


class AttachmentStatus(StrEnum):
    """The status of a file in a vector store."""

    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Attachment:
    """A file in a vector store.

    Attributes:
        vector_store, id: of the vector store and of the file.
        owner: of both.
        bytes: of the file.
        created_at: seconds since 1970.
        status: in progress until it is ingested.
        attributes: metadata of its documents.
        chunk_tokens, overlap_tokens: size of its chunks; None for the default.
        batch: the id of its batch.
        error_code, error_message: why it failed; of one in progress, why the last attempt did.
        failures: attempts that a server was not there for.
    """

    vector_store: str
    id: str
    owner: str
    bytes: int
    created_at: int
    status: AttachmentStatus = AttachmentStatus.IN_PROGRESS
    attributes: Mapping[str, Scalar] = field(default_factory=dict)
    chunk_tokens: int | None = None
    overlap_tokens: int | None = None
    batch: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    failures: int = 0

    @classmethod
    def of(cls, row: sqlite3.Row) -> Self:
        """The record of a row."""
        values = {name: row[name] for name in cls.__dataclass_fields__}
        status, attributes = AttachmentStatus(values["status"]), json.loads(values["attributes"])
        return cls(**{**values, "status": status, "attributes": attributes})

    def again(self, attributes: Mapping[str, Scalar]) -> Self:
        """The same file with other attributes, to be ingested again."""
        status = AttachmentStatus.IN_PROGRESS
        return replace(self, attributes=attributes, status=status, error_code=None, error_message=None, failures=0)


@dataclass(frozen=True)
class Batch:
    """Files that were attached together; ``cancelled`` if a client cancelled what was not ingested yet."""

    id: str
    vector_store: str
    created_at: int
    cancelled: bool = False


@dataclass(frozen=True)
class Counts:
    """The number of files by status, and the bytes of those that are completed."""

    by_status: Mapping[AttachmentStatus, int] = field(default_factory=dict)
    bytes: int = 0

    @property
    def total(self) -> int:
        """Files of any status."""
        return sum(self.by_status.values())


class AttachmentRecords:
    """The tables of attachments and batches."""

    def __init__(self, database: Database) -> None:
        self._run = database.run

    async def put(self, records: Sequence[Attachment], batch: Batch | None = None) -> None:
        """Adds records, in place of those of the same file and vector store; and the batch that they belong to.

        No gateway may hold the records that are replaced. The new ones are due at once.
        """
        rows = [[_stored(getattr(record, name)) for name in _COLUMNS] for record in records]
        changes = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)
        query = f"INSERT INTO attachments ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
        query += f" ON CONFLICT (vector_store, id) DO UPDATE SET {changes}, retry_at = 0"

        def add(connection: sqlite3.Connection) -> None:
            connection.executemany(query, rows)
            if batch:
                values = (batch.id, batch.vector_store, batch.created_at, batch.cancelled)
                connection.execute("INSERT INTO batches VALUES (?, ?, ?, ?)", values)

        await self._run(add)

    async def get(self, vector_store: str, ids: Sequence[str]) -> dict[str, Attachment]:
        """The files of a vector store by id; those that it does not have are left out."""
        query = "SELECT * FROM attachments WHERE vector_store = ? AND id = ?"

        def read(connection: sqlite3.Connection) -> dict[str, Attachment]:
            found = (connection.execute(query, (vector_store, id_)).fetchone() for id_ in ids)
            return {row["id"]: Attachment.of(row) for row in found if row}

        return await self._run(read)

    async def of_file(self, id_: str) -> list[Attachment]:
        """A file in all vector stores that have it."""
        query = "SELECT * FROM attachments WHERE id = ?"
        rows = await self._run(lambda connection: connection.execute(query, (id_,)).fetchall())
        return [Attachment.of(row) for row in rows]

    async def page(
        self, vector_store: str, cursor: Cursor, status: AttachmentStatus | None, batch: str | None = None
    ) -> Page[Attachment]:
        """A page of a vector store's files. Raises `UnknownCursor`."""
        scope, conditions = ("vector_store", vector_store), {"status": status, "batch": batch}
        return await self._run(
            lambda connection: page_of(connection, "attachments", scope, conditions, cursor, Attachment.of)
        )

    async def halt(self, records: Sequence[Attachment]) -> None:
        """Cancels those that are in progress, so that no gateway begins with them."""
        query = (
            "UPDATE attachments SET status = 'cancelled' WHERE vector_store = ? AND id = ? AND status = 'in_progress'"
        )
        keys = [(record.vector_store, record.id) for record in records]
        await self._run(lambda connection: connection.executemany(query, keys))

    async def delete(self, record: Attachment) -> None:
        """Deletes a record."""
        query = "DELETE FROM attachments WHERE vector_store = ? AND id = ?"
        await self._run(lambda connection: connection.execute(query, (record.vector_store, record.id)))

    async def counts(self, vector_store: str, batch: str | None = None) -> Counts:
        """The number of a vector store's files by status, or of one of its batches."""
        query = """SELECT status, COUNT(*) AS number, SUM(bytes) AS bytes FROM attachments
            WHERE vector_store = ? AND (? IS NULL OR batch = ?) GROUP BY status"""
        rows = await self._run(lambda connection: connection.execute(query, (vector_store, batch, batch)).fetchall())
        numbers = {AttachmentStatus(row["status"]): row["number"] for row in rows}
        return Counts(numbers, sum(row["bytes"] for row in rows if row["status"] == AttachmentStatus.COMPLETED))

    async def batch(self, vector_store: str, id_: str) -> Batch | None:
        """A batch of a vector store; None if it has none of that id."""
        query = "SELECT * FROM batches WHERE vector_store = ? AND id = ?"
        row = await self._run(lambda connection: connection.execute(query, (vector_store, id_)).fetchone())
        return Batch(row["id"], row["vector_store"], row["created_at"], bool(row["cancelled"])) if row else None

    async def cancel(self, vector_store: str, batch: str | None = None) -> list[Attachment]:
        """Cancels the files of a vector store, or of one of its batches, that are in progress; returns them."""
        query = """UPDATE attachments SET status = 'cancelled' WHERE vector_store = ? AND (? IS NULL OR batch = ?)
            AND status = 'in_progress' RETURNING *"""

        def cancel(connection: sqlite3.Connection) -> list[Attachment]:
            rows = connection.execute(query, (vector_store, batch, batch)).fetchall()
            connection.execute("UPDATE batches SET cancelled = 1 WHERE id = ?", (batch,))
            return [Attachment.of(row) for row in rows]

        return await self._run(cancel)


def _stored(value: Any) -> Any:
    return json.dumps(dict(value)) if isinstance(value, Mapping) else value


_COLUMNS = tuple(Attachment.__dataclass_fields__)
