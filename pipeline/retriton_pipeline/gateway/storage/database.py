"""A SQLite file that survives restarts, and that several gateways on one machine can share."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from retriton_pipeline.errors import InvalidOption, PipelineError
from retriton_pipeline.gateway.slots import FairSlots

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
_BUSY_S = 10.0  # for which a write waits for that of another process
_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, owner TEXT NOT NULL, filename TEXT NOT NULL,
    purpose TEXT NOT NULL, bytes INTEGER NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER);
CREATE INDEX IF NOT EXISTS files_of_owner ON files (owner, seq);
CREATE TABLE IF NOT EXISTS vector_stores (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL,
    metadata TEXT NOT NULL, expires_days INTEGER, created_at INTEGER NOT NULL, last_active_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS vector_stores_of_owner ON vector_stores (owner, seq);
CREATE TABLE IF NOT EXISTS attachments (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, vector_store TEXT NOT NULL, id TEXT NOT NULL, owner TEXT NOT NULL,
    status TEXT NOT NULL, attributes TEXT NOT NULL, chunk_tokens INTEGER, overlap_tokens INTEGER, batch TEXT,
    error_code TEXT, error_message TEXT, bytes INTEGER NOT NULL, created_at INTEGER NOT NULL,
    holder TEXT NOT NULL DEFAULT '', lease_until REAL NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0,
    retry_at REAL NOT NULL DEFAULT 0, UNIQUE (vector_store, id));
CREATE INDEX IF NOT EXISTS attachments_of_file ON attachments (id);
CREATE INDEX IF NOT EXISTS attachments_of_batch ON attachments (batch, seq);
CREATE INDEX IF NOT EXISTS attachments_waiting ON attachments (owner, seq) WHERE status = 'in_progress';
CREATE INDEX IF NOT EXISTS attachments_held ON attachments (holder) WHERE holder != '';
CREATE TABLE IF NOT EXISTS batches (
    id TEXT PRIMARY KEY, vector_store TEXT NOT NULL, created_at INTEGER NOT NULL, cancelled INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, owner TEXT NOT NULL, collection TEXT NOT NULL,
    created_at REAL NOT NULL, bytes INTEGER NOT NULL, holder TEXT NOT NULL, lease_until REAL NOT NULL,
    state TEXT NOT NULL, bytes_done INTEGER NOT NULL, documents INTEGER NOT NULL, chunks INTEGER NOT NULL,
    metadata TEXT NOT NULL, chunk_tokens INTEGER, overlap_tokens INTEGER, result TEXT NOT NULL, error TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS jobs_of_owner ON jobs (owner, seq);
CREATE INDEX IF NOT EXISTS jobs_unfinished ON jobs (seq) WHERE state IN ('queued', 'running');
CREATE TABLE IF NOT EXISTS deleted (
    list TEXT NOT NULL, scope TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (list, scope, id));
CREATE INDEX IF NOT EXISTS deleted_at ON deleted (at);
"""
_DELETED_S = 3600  # for which the place of a deleted record in its list is known
_NOW = "CAST(strftime('%s', 'now') AS INTEGER)"
_NOTE_DELETED = """
CREATE TRIGGER IF NOT EXISTS {table}_deleted AFTER DELETE ON {table} WHEN {condition} BEGIN
    DELETE FROM deleted WHERE at < {now} - {seconds};
    INSERT OR REPLACE INTO deleted VALUES ('{table}', OLD.{scope}, OLD.id, OLD.seq, {now});
END;
"""
_LISTS = (  # table, the column whose value a list's records share, and whether the list itself is still there
    ("files", "owner", "1"),
    ("vector_stores", "owner", "1"),
    ("attachments", "vector_store", "EXISTS (SELECT 1 FROM vector_stores WHERE id = OLD.vector_store)"),
)


def _note_deleted(table: str, scope: str, condition: str) -> str:
    return _NOTE_DELETED.format(table=table, scope=scope, condition=condition, now=_NOW, seconds=_DELETED_S)


class StorageError(PipelineError):
    """The folder of files cannot be read or written."""


class Database:
    """One connection, in one thread, which the keys use in turn; opened, with its folder, when it is first used.

    Args:
        file: its path; None if the gateway has no folder for files.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        self._turns = FairSlots(1)
        self._connection: sqlite3.Connection | None = None

    @property
    def exists(self) -> bool:
        """Whether anything was ever written."""
        return self._file is not None and self._file.exists()

    async def run(self, work: Work[T]) -> T:
        """Runs ``work`` as one transaction, which is on the disk when this returns.

        Raises:
            InvalidOption: there is no file.
            StorageError: it cannot be opened, read or written.
        """
        if self._file is None:
            raise InvalidOption(
                "this gateway has no folder for files and vector stores: start it with --files FOLDER, on a disk that "
                "is kept"
            )
        loop = asyncio.get_running_loop()
        try:
            async with self._turns.slot():
                return await loop.run_in_executor(self._thread, self._transaction, self._file, work)
        except (sqlite3.Error, OSError) as error:
            raise StorageError(f"{self._file}: {error}") from error

    async def close(self) -> None:
        """Closes the connection."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown(wait=False)

    def _transaction(self, file: Path, work: Work[T]) -> T:
        connection = self._connection or self._connect(file)
        connection.execute("BEGIN IMMEDIATE")
        try:
            found = work(connection)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        return found

    def _connect(self, file: Path) -> sqlite3.Connection:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(file, timeout=_BUSY_S, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(_SCHEMA + "".join(_note_deleted(*found) for found in _LISTS))
        self._connection = connection
        return connection

    def _disconnect(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None
