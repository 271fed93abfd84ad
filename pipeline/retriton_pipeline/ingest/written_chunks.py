"""What the files of a bulk import contain: every chunk once, and the contents of documents.

Milvus does not notice that an import repeats a primary key. So the writer must know all ids that it has written, which
do not fit in memory: 10^8 ids are 10 GB in a Python set. They are kept in a temporary SQLite file with a bounded cache.
A sort of the ids at the end would read and write less, but finds a repetition only when its file is at its place.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from retriton_pipeline.batches import batched

_CACHE_KIB = 65536
_IDS_PER_QUERY = 512
_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -{cache};
CREATE TABLE chunks (id BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE contents (
    document TEXT, content TEXT, complete INTEGER DEFAULT 0, superseded INTEGER DEFAULT 0,
    PRIMARY KEY (document, content)
) WITHOUT ROWID;
"""


class WrittenChunks:
    """The ids of written chunks, and which documents they make complete. Safe to use from several threads.

    Args:
        file: a new SQLite file, which is of no use afterwards.

    Attributes:
        count: number of chunks.
    """

    def __init__(self, file: Path) -> None:
        self._database = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._database.executescript(_TABLES.format(cache=_CACHE_KIB))
        self._database.execute("BEGIN")  # never committed: pages are written when the cache is full, not at each call
        self._lock = threading.Lock()
        self.count = 0

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    def add(self, rows: Sequence[Mapping[str, Any]]) -> list[bool]:
        """Adds rows, of which ``id``, ``document_id``, ``content_hash`` and ``chunk_index`` are read.

        Returns which of them are new. The first chunk of a content is written last, and makes it complete.
        """
        with self._lock:
            new = [self._is_new(row["id"]) for row in rows]
            complete: dict[tuple[str, str], bool] = {}
            for row in rows:
                content = (row["document_id"], row["content_hash"])
                complete[content] = complete.get(content, False) or row["chunk_index"] == 0
            self._database.executemany(
                "INSERT INTO contents (document, content, complete) VALUES (?, ?, ?) "
                "ON CONFLICT DO UPDATE SET complete = max(complete, excluded.complete)",
                [(*content, int(is_complete)) for content, is_complete in complete.items()],
            )
        self.count += sum(new)
        return new

    def _is_new(self, chunk: str) -> bool:
        row = (bytes.fromhex(chunk),)
        return self._database.execute("INSERT OR IGNORE INTO chunks VALUES (?)", row).rowcount == 1

    def content_hashes(self, document_ids: Sequence[str]) -> dict[str, set[str]]:
        """Returns the hashes of complete contents by document id."""
        found: dict[str, set[str]] = {}
        with self._lock:
            for some in batched(document_ids, _IDS_PER_QUERY):
                marks = ",".join("?" * len(some))
                query = f"SELECT document, content FROM contents WHERE complete AND document IN ({marks})"  # noqa: S608
                for document, content in self._database.execute(query, some):
                    found.setdefault(document, set()).add(content)
        return found

    def supersede(self, contents: Sequence[tuple[str, str]]) -> None:
        """Marks all other contents of these documents, each an id and its content hash, as superseded."""
        with self._lock:
            self._database.executemany(
                "UPDATE contents SET superseded = 1 WHERE document = ? AND content != ?", contents
            )

    def superseded(self) -> Iterator[tuple[str, str]]:
        """Yields document id and content hash of superseded contents."""
        yield from self._database.execute("SELECT document, content FROM contents WHERE superseded")
