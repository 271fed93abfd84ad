"""Records of upload jobs, and which gateway holds each of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from retriton_pipeline.documents import Scalar
from retriton_pipeline.gateway.storage.database import Database

LEASE_S = 15.0  # after its last renewal, a job may be taken over
FINISHED_MAX = 1000  # finished jobs that are remembered
FINISHED_PER_KEY_MAX = 200
_OPEN = "state IN ('queued', 'running')"
_JSON = ("metadata", "result", "error")


@dataclass(frozen=True)
class JobRecord:
    """An upload job; times are seconds since 1970.

    Attributes:
        owner: the name of the key that uploaded it.
        collection: that it is ingested into.
        created_at: when it was uploaded.
        state: as in `JobState`.
        bytes: of its files.
        bytes_done, documents, chunks: progress of the ingestion.
        metadata: values for filters, for all its documents.
        chunk_tokens, overlap_tokens: size of its chunks; None for the default.
        result, error: how it ended.
        holder: the gateway that has it in its queue.
        lease_until: until when, unless the holder renews it.
    """

    id: str
    owner: str
    collection: str
    created_at: float
    bytes: int
    holder: str
    lease_until: float
    state: str = "queued"
    bytes_done: int = 0
    documents: int = 0
    chunks: int = 0
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    chunk_tokens: int | None = None
    overlap_tokens: int | None = None
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None

    @classmethod
    def of(cls, row: sqlite3.Row) -> Self:
        """The record of a row."""
        values = {name: row[name] for name in cls.__dataclass_fields__}
        return cls(**{**values, **{name: json.loads(values[name]) for name in _JSON}})


class JobRecords:
    """The table of jobs."""

    def __init__(self, database: Database) -> None:
        self._run = database.run

    async def add(self, record: JobRecord, place: Callable[[], None]) -> None:
        """Adds a record. ``place`` puts the files in their place, within the transaction (see `clean`)."""
        query = f"INSERT INTO jobs ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608

        def add(connection: sqlite3.Connection) -> None:
            connection.execute(query, [_stored(name, getattr(record, name)) for name in _COLUMNS])
            place()

        await self._run(add)

    async def clean(self, remove_others: Callable[[set[str]], None]) -> None:
        """Calls ``remove_others`` with the ids of all unfinished jobs, while no gateway can add one."""
        query = f"SELECT id FROM jobs WHERE {_OPEN}"  # noqa: S608 - no input
        await self._run(lambda connection: remove_others({row["id"] for row in connection.execute(query)}))

    async def get(self, owner: str, id_: str) -> JobRecord | None:
        """The owner's job; None if there is none of that id."""
        query = "SELECT * FROM jobs WHERE id = ? AND owner = ?"
        row = await self._run(lambda connection: connection.execute(query, (id_, owner)).fetchone())
        return JobRecord.of(row) if row else None

    async def owned_by(self, owner: str) -> list[JobRecord]:
        """The owner's jobs, the latest first."""
        query = "SELECT * FROM jobs WHERE owner = ? ORDER BY seq DESC"
        rows = await self._run(lambda connection: connection.execute(query, (owner,)).fetchall())
        return [JobRecord.of(row) for row in rows]

    async def renew(self, records: Sequence[JobRecord]) -> set[str]:
        """Renews the leases of jobs, and notes their states, progress, and the error of the last attempt.

        Returns:
            The ids of those that are not the holder's any more: they were cancelled or taken over elsewhere.
        """
        query = f"""UPDATE jobs SET lease_until = ?, state = ?, bytes_done = ?, documents = ?, chunks = ?, error = ?
            WHERE id = ? AND holder = ? AND {_OPEN}"""  # noqa: S608 - no input

        def renew(connection: sqlite3.Connection) -> set[str]:
            lost = set()
            for one in records:
                progress = (one.bytes_done, one.documents, one.chunks, _stored("error", one.error))
                values = (one.lease_until, one.state, *progress, one.id, one.holder)
                if not connection.execute(query, values).rowcount:
                    lost.add(one.id)
            return lost

        return await self._run(renew)

    async def claim(self, holder: str, now_s: float, is_alive: Callable[[str], bool]) -> list[JobRecord]:
        """Takes over all unfinished jobs whose lease has ended or whose holder is not alive, the oldest first."""
        query = f"SELECT * FROM jobs WHERE {_OPEN} ORDER BY seq"  # noqa: S608 - no input
        change = "UPDATE jobs SET holder = ?, lease_until = ?, state = 'queued' WHERE id = ?"
        until = now_s + LEASE_S

        def claim(connection: sqlite3.Connection) -> list[JobRecord]:
            unfinished = [JobRecord.of(row) for row in connection.execute(query).fetchall()]
            taken = [one for one in unfinished if one.lease_until < now_s or not is_alive(one.holder)]
            connection.executemany(change, [(holder, until, one.id) for one in taken])
            return [replace(one, holder=holder, lease_until=until, state="queued") for one in taken]

        return await self._run(claim)

    async def finish(self, record: JobRecord, holder: str | None = None) -> bool:
        """Records how a job ended, and forgets the oldest finished ones beyond the limits.

        Args:
            record: the job as it is now.
            holder: only if the job is still held by it; None for any.

        Returns:
            False if it had ended before, or is held by another.
        """
        names = ("state", "bytes_done", "documents", "chunks", "result", "error")
        query = f"""UPDATE jobs SET {", ".join(f"{name} = ?" for name in names)}
            WHERE id = ? AND {_OPEN} AND (? IS NULL OR holder = ?)"""  # noqa: S608 - no input
        values = [_stored(name, getattr(record, name)) for name in names]

        def finish(connection: sqlite3.Connection) -> bool:
            is_done = connection.execute(query, [*values, record.id, holder, holder]).rowcount > 0
            _forget(connection, "1 = 1", (), FINISHED_MAX)
            _forget(connection, "owner = ?", (record.owner,), FINISHED_PER_KEY_MAX)
            return is_done

        return await self._run(finish)


def _forget(connection: sqlite3.Connection, where: str, values: tuple[str, ...], kept: int) -> None:
    finished = f"FROM jobs WHERE {where} AND NOT {_OPEN}"
    query = f"DELETE {finished} AND seq NOT IN (SELECT seq {finished} ORDER BY seq DESC LIMIT {kept})"
    connection.execute(query, (*values, *values))


def _stored(name: str, value: Any) -> Any:
    if name not in _JSON:
        return value
    return json.dumps(dict(value) if isinstance(value, Mapping) else value)


_COLUMNS = tuple(JobRecord.__dataclass_fields__)
