"""Records of vector stores."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from retriton_pipeline.gateway.storage.database import Database
from retriton_pipeline.gateway.storage.pages import Cursor, Page, page_of

_DAY_S = 86_400


@dataclass(frozen=True)
class VectorStoreRecord:
    """A vector store; times are seconds since 1970. Its collection has the name that is its id.

    Attributes:
        owner: the name of the key that created it.
        metadata: as the client gave it.
        expires_days: days after the last use until it expires; None for never.
    """

    id: str
    owner: str
    name: str
    created_at: int
    last_active_at: int
    metadata: Mapping[str, str] = field(default_factory=dict)
    expires_days: int | None = None

    @classmethod
    def of(cls, row: sqlite3.Row) -> Self:
        """The record of a row."""
        values = {name: row[name] for name in cls.__dataclass_fields__}
        return cls(**{**values, "metadata": json.loads(values["metadata"])})

    @property
    def expires_at(self) -> int | None:
        """When it expires; None for never."""
        return None if self.expires_days is None else self.last_active_at + self.expires_days * _DAY_S

    def is_expired(self, now_s: float) -> bool:
        """Whether that time has come."""
        return self.expires_at is not None and self.expires_at <= now_s


class VectorStoreRecords:
    """The table of vector stores."""

    def __init__(self, database: Database) -> None:
        self._run = database.run

    async def put(self, record: VectorStoreRecord) -> None:
        """Adds a record, or changes the one with its id."""
        values = [getattr(record, name) for name in _COLUMNS]
        values[_COLUMNS.index("metadata")] = json.dumps(dict(record.metadata))
        changes = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)
        query = f"INSERT INTO vector_stores ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
        await self._run(
            lambda connection: connection.execute(f"{query} ON CONFLICT (id) DO UPDATE SET {changes}", values)
        )

    async def get(self, owner: str, id_: str) -> VectorStoreRecord | None:
        """The owner's vector store; None if there is none of that id."""
        query = "SELECT * FROM vector_stores WHERE id = ? AND owner = ?"
        row = await self._run(lambda connection: connection.execute(query, (id_, owner)).fetchone())
        return VectorStoreRecord.of(row) if row else None

    async def page(self, owner: str, cursor: Cursor) -> Page[VectorStoreRecord]:
        """A page of the owner's vector stores. Raises `UnknownCursor`."""
        return await self._run(
            lambda connection: page_of(connection, "vector_stores", ("owner", owner), {}, cursor, VectorStoreRecord.of)
        )

    async def touch(self, id_: str, now_s: float) -> None:
        """Notes a use."""
        query = "UPDATE vector_stores SET last_active_at = ? WHERE id = ?"
        await self._run(lambda connection: connection.execute(query, (int(now_s), id_)))

    async def delete(self, id_: str) -> None:
        """Deletes a record, and those of its attachments and batches."""

        def delete(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM vector_stores WHERE id = ?", (id_,))
            connection.execute("DELETE FROM attachments WHERE vector_store = ?", (id_,))
            connection.execute("DELETE FROM batches WHERE vector_store = ?", (id_,))

        await self._run(delete)

    async def usage(self) -> dict[str, int]:
        """The number of vector stores of each owner."""
        query = "SELECT owner, COUNT(*) AS number FROM vector_stores GROUP BY owner"
        rows = await self._run(lambda connection: connection.execute(query).fetchall())
        return {row["owner"]: row["number"] for row in rows}

    async def expiring(self) -> list[VectorStoreRecord]:
        """All that expire at some time."""
        query = "SELECT * FROM vector_stores WHERE expires_days IS NOT NULL"
        rows = await self._run(lambda connection: connection.execute(query).fetchall())
        return [VectorStoreRecord.of(row) for row in rows]


_COLUMNS = tuple(VectorStoreRecord.__dataclass_fields__)
