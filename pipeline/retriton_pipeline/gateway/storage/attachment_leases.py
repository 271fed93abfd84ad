"""Which gateway ingests a file of a vector store, and when a file whose ingestion failed is tried again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from retriton_pipeline.gateway.retries import pause_s
from retriton_pipeline.gateway.storage.attachments import Attachment
from retriton_pipeline.gateway.storage.database import Database
from retriton_pipeline.gateway.storage.jobs import LEASE_S

AttachmentKey = tuple[str, str]  # ids of vector store and file
_THIS = "vector_store = ? AND id = ?"
_IS_DUE = "status = 'in_progress' AND retry_at <= ? AND (holder IN ('', ?) OR lease_until < ?)"


class AttachmentLeases:
    """The leases of attachments: a gateway, the holder, ingests a file as long as it renews its lease.

    Args:
        database: has the table of attachments.
        holder: the name of this gateway's process.
    """

    def __init__(self, database: Database, holder: Callable[[], str]) -> None:
        self._run = database.run
        self._holder = holder

    async def end_abandoned(self, is_alive: Callable[[str], bool]) -> None:
        """Ends the leases of gateways that are not alive."""

        def end(connection: sqlite3.Connection) -> None:
            holders = connection.execute("SELECT DISTINCT holder FROM attachments WHERE holder != ''").fetchall()
            gone = [(row["holder"],) for row in holders if not is_alive(row["holder"])]
            connection.executemany("UPDATE attachments SET holder = '' WHERE holder = ?", gone)

        await self._run(end)

    async def waiting_owners(self, now_s: float) -> list[str]:
        """The owners of files that can be claimed."""
        query = f"SELECT DISTINCT owner FROM attachments WHERE {_IS_DUE}"  # noqa: S608 - no input
        values = (now_s, self._holder(), now_s)
        rows = await self._run(lambda connection: connection.execute(query, values).fetchall())
        return [row["owner"] for row in rows]

    async def claim(self, owner: str, now_s: float) -> Attachment | None:
        """Takes the lease of a file of the owner that is due: the oldest that is new, or that has waited longest.

        Returns:
            The file; None if none is due, or other gateways hold them.
        """
        query = f"SELECT * FROM attachments WHERE owner = ? AND {_IS_DUE} ORDER BY retry_at, seq LIMIT 1"  # noqa: S608
        holder = self._holder()

        def claim(connection: sqlite3.Connection) -> Attachment | None:
            row = connection.execute(query, (owner, now_s, holder, now_s)).fetchone()
            if row is None:
                return None
            change = "UPDATE attachments SET holder = ?, lease_until = ? WHERE seq = ?"
            connection.execute(change, (holder, now_s + LEASE_S, row["seq"]))
            return Attachment.of(row)

        return await self._run(claim)

    async def renew(self, keys: Iterable[AttachmentKey], now_s: float) -> set[AttachmentKey]:
        """Renews leases.

        Returns:
            The keys of files that are to be left: they were cancelled, deleted or taken over elsewhere.
        """
        query = f"UPDATE attachments SET lease_until = ? WHERE {_THIS} AND holder = ? AND status = 'in_progress'"  # noqa: S608
        wanted, until, holder = list(keys), now_s + LEASE_S, self._holder()

        def renew(connection: sqlite3.Connection) -> set[AttachmentKey]:
            return {key for key in wanted if not connection.execute(query, (until, *key, holder)).rowcount}

        return await self._run(renew) if wanted else set()

    async def finish(self, record: Attachment, **changes: Any) -> None:
        """Ends a lease, and changes columns of the record; one that was cancelled or taken over meanwhile stays so."""
        mine = f"{_THIS} AND holder = ?"
        key = (record.vector_store, record.id, self._holder())

        def finish(connection: sqlite3.Connection) -> None:
            if changes:
                columns = ", ".join(f"{name} = ?" for name in changes)
                query = f"UPDATE attachments SET {columns} WHERE {mine} AND status = 'in_progress'"  # noqa: S608
                connection.execute(query, (*changes.values(), *key))
            connection.execute(f"UPDATE attachments SET holder = '' WHERE {mine}", key)  # noqa: S608

        await self._run(finish)

    async def postpone(self, record: Attachment, now_s: float, **changes: Any) -> None:
        """Ends a lease as `finish`, after a failure: the file is due again after a pause (see `pause_s`)."""
        failures = record.failures + 1
        await self.finish(record, failures=failures, retry_at=now_s + pause_s(failures), **changes)

    async def is_held_elsewhere(self, records: Sequence[Attachment], now_s: float) -> bool:
        """Whether another gateway holds one of the records."""
        query = f"SELECT 1 FROM attachments WHERE {_THIS} AND holder NOT IN ('', ?) AND lease_until >= ?"  # noqa: S608
        holder = self._holder()

        def read(connection: sqlite3.Connection) -> bool:
            keys = ((record.vector_store, record.id) for record in records)
            return any(connection.execute(query, (*key, holder, now_s)).fetchone() for key in keys)

        return await self._run(read)
