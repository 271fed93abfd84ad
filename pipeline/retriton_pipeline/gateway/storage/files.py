"""Records of uploaded files."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Self

from retriton_pipeline.gateway.storage.database import Database
from retriton_pipeline.gateway.storage.pages import Cursor, Page, page_of


@dataclass(frozen=True)
class FileRecord:
    """An uploaded file; times are seconds since 1970.

    Attributes:
        owner: the name of the key that uploaded it.
        purpose: as the client gave it.
        bytes: size of its content.
        expires_at: when it is deleted; None for never.
    """

    id: str
    owner: str
    filename: str
    purpose: str
    bytes: int
    created_at: int
    expires_at: int | None = None

    @classmethod
    def of(cls, row: sqlite3.Row) -> Self:
        """The record of a row."""
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})


class FileRecords:
    """The table of files."""

    def __init__(self, database: Database) -> None:
        self._run = database.run

    async def add(self, record: FileRecord) -> None:
        """Adds a record."""
        values = [getattr(record, name) for name in _COLUMNS]
        query = f"INSERT INTO files ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
        await self._run(lambda connection: connection.execute(query, values))

    async def get(self, owner: str, ids: list[str]) -> dict[str, FileRecord]:
        """The owner's files by id; those that do not exist are left out."""

        def read(connection: sqlite3.Connection) -> dict[str, FileRecord]:
            found = (connection.execute("SELECT * FROM files WHERE id = ?", (id_,)).fetchone() for id_ in ids)
            return {row["id"]: FileRecord.of(row) for row in found if row and row["owner"] == owner}

        return await self._run(read)

    async def page(self, owner: str, cursor: Cursor, purpose: str | None) -> Page[FileRecord]:
        """A page of the owner's files. Raises `UnknownCursor`."""
        scope, conditions = ("owner", owner), {"purpose": purpose}
        return await self._run(
            lambda connection: page_of(connection, "files", scope, conditions, cursor, FileRecord.of)
        )

    async def delete(self, id_: str) -> None:
        """Deletes a record."""
        await self._run(lambda connection: connection.execute("DELETE FROM files WHERE id = ?", (id_,)))

    async def usage(self) -> dict[str, tuple[int, int]]:
        """Number and bytes of the files of each owner."""
        query = "SELECT owner, COUNT(*) AS number, SUM(bytes) AS bytes FROM files GROUP BY owner"
        rows = await self._run(lambda connection: connection.execute(query).fetchall())
        return {row["owner"]: (row["number"], row["bytes"]) for row in rows}

    async def expired(self, now_s: float) -> list[FileRecord]:
        """Files whose time is over."""
        query = "SELECT * FROM files WHERE expires_at <= ?"
        rows = await self._run(lambda connection: connection.execute(query, (now_s,)).fetchall())
        return [FileRecord.of(row) for row in rows]


_COLUMNS = tuple(FileRecord.__dataclass_fields__)
