"""A Milvus Lite file before it is opened: what is wrong with it, and the way out; and what makes its writes faster."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from retriton_pipeline.errors import NoSuchCollection, StoreError

_NAME = re.compile(r"[A-Za-z0-9._-]{1,36}")  # what Milvus Lite accepts
_FREE_BYTES_MIN = 4 * 1024 * 1024
_BYTES_PER_BYTE = 4  # written at most for a byte of a row: the row, the BM25 index, and the journal of both
_READ_BYTES_PER_S_MIN = 2_000_000  # a file of 1.2 GB took 39 s on an idle machine: 31 MB/s
_BUSY_S = 5.0  # for which a write of Milvus Lite is waited for
_TABLES_WITH_IDS = """
    SELECT tables.name FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns
    WHERE tables.type = 'table' AND columns.name = 'milvus_id'
"""
_ANOTHER = "name another one: --milvus FILE.db"


def check_file(uri: str, create: bool) -> None:
    """Checks name, kind and permissions; creates the folder of the file.

    Raises:
        NoSuchCollection: the file does not exist, and ``create`` is false.
        StoreError: Milvus Lite cannot open or create the file.
    """
    file = Path(uri)
    if "\0" in uri or not uri.endswith(".db"):
        raise StoreError(f"{uri!r} is neither http://host:port nor a Milvus Lite file, whose name ends in .db")
    if not _NAME.fullmatch(file.name):
        raise StoreError(f"Milvus Lite opens files of 1 to 36 letters, digits and ._-, not {file.name!r}: {_ANOTHER}")
    try:
        if not create and not file.exists():
            raise NoSuchCollection(f"the file {uri} does not exist: run `retriton ingest` first")
        file.absolute().parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the folder of {uri} cannot be used: {error}; {_ANOTHER}") from error
    if file.exists() and not file.is_file():
        raise StoreError(f"{uri} is not a file, but a folder or a device; {_ANOTHER}")
    needed = [file.absolute().parent, *([file] if file.exists() else [])]
    if refused := [str(path) for path in needed if not os.access(path, os.R_OK | os.W_OK)]:
        raise StoreError(
            f"{refused[0]} cannot be written to by this user, and Milvus Lite writes while it searches: change its "
            f"permissions, or {_ANOTHER}"
        )


def reading_s_max(uri: str) -> float:
    """Seconds that Milvus Lite takes at most, on a busy machine, to read the file into memory."""
    return Path(uri).stat().st_size / _READ_BYTES_PER_S_MIN


def check_content(uri: str) -> None:
    """Raises `StoreError` if the file is damaged, or of another program. Lock the file before."""
    file = Path(uri).absolute()
    if not file.exists() or not file.stat().st_size:
        return
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as database:
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    except sqlite3.OperationalError:  # for example a journal to be rolled back, which Milvus Lite does
        return
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"{uri} is not a Milvus Lite file, or damaged: {error}. Restore it from a backup, or {_ANOTHER} and ingest "
            "the documents again"
        ) from error
    if tables and "collection_meta" not in tables:
        raise StoreError(f"{uri} is a database of another program, not of Milvus Lite: {_ANOTHER}")


def index_ids(uri: str) -> None:
    """Gives the table of each collection an index of the ids of its rows.

    Milvus Lite makes none, and reads a whole table for each write: with 20,000 chunks, an upsert of 32 takes 120 ms of
    CPU instead of 40. SQLite uses the index by itself. It is left out if the file is busy.
    """
    file = Path(uri).absolute()
    if not file.exists():
        return
    with suppress(sqlite3.Error), closing(sqlite3.connect(file, timeout=_BUSY_S)) as database:
        for (table,) in database.execute(_TABLES_WITH_IDS).fetchall():
            database.execute(f'CREATE INDEX IF NOT EXISTS "{table} ids" ON "{table}" (milvus_id)')
        database.commit()


def check_space(uri: str, row_bytes: int) -> None:
    """Raises `StoreError` if the disk may be too full for rows of ``row_bytes``: Milvus Lite would store a part."""
    needed = _FREE_BYTES_MIN + _BYTES_PER_BYTE * row_bytes
    free = shutil.disk_usage(Path(uri).absolute().parent).free
    if free < needed:
        raise StoreError(
            f"the disk of {uri} is full: {free / 1e6:.1f} MB are free, the next chunks need up to {needed / 1e6:.1f} "
            "MB. What was stored before is kept: free some space, and run the same command again"
        )
