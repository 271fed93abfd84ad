"""What the files of a bulk import contain: every chunk once, and the contents of documents.

Milvus does not notice that an import repeats a primary key. So the writer must know all ids that it has written, which
do not fit in memory: 10^8 ids are 10 GB in a Python set. They are kept in temporary SQLite files with a bounded cache.
A sort of the ids at the end would read and write less, but finds a repetition only when its file is in the folder.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from retriton_pipeline.batches import batched
from retriton_pipeline.store.id_set import IdSet, temporary_database

_IDS_PER_QUERY = 512
_CONTENTS = """
CREATE TABLE contents (
    document TEXT, content TEXT, complete INTEGER, superseded INTEGER DEFAULT 0, PRIMARY KEY (document, content)
) WITHOUT ROWID
"""


class WrittenChunks:
    """The ids of written chunks, and which documents they make complete. Safe to use from several threads.

    Attributes:
        count: number of chunks.
    """

    def __init__(self) -> None:
        self._ids = IdSet()
        self._contents = temporary_database(_CONTENTS)
        self._lock = threading.Lock()
        self.count = 0

    def close(self) -> None:
        """Removes the temporary files."""
        self._ids.close()
        self._contents.close()

    def add(self, rows: Sequence[Mapping[str, Any]]) -> list[bool]:
        """Adds rows, of which ``id``, ``document_id``, ``content_hash`` and ``chunk_index`` are read.

        Returns which of them are new. The first chunk of a content is written last, and makes it complete.
        """
        with self._lock:
            new = [self._ids.add(bytes.fromhex(row["id"])) for row in rows]
            complete: dict[tuple[str, str], bool] = {}
            for row in rows:
                content = (row["document_id"], row["content_hash"])
                complete[content] = complete.get(content, False) or row["chunk_index"] == 0
            self._contents.executemany(
                "INSERT INTO contents (document, content, complete) VALUES (?, ?, ?) "
                "ON CONFLICT DO UPDATE SET complete = max(complete, excluded.complete)",
                [(*content, int(is_complete)) for content, is_complete in complete.items()],
            )
        self.count += sum(new)
        return new

    def content_hashes(self, document_ids: Sequence[str]) -> dict[str, set[str]]:
        """Returns the hashes of complete contents by document id."""
        found: dict[str, set[str]] = {}
        with self._lock:
            for some in batched(document_ids, _IDS_PER_QUERY):
                marks = ",".join("?" * len(some))
                query = f"SELECT document, content FROM contents WHERE complete AND document IN ({marks})"  # noqa: S608
                for document, content in self._contents.execute(query, some):
                    found.setdefault(document, set()).add(content)
        return found

    def supersede(self, contents: Sequence[tuple[str, str]]) -> None:
        """Marks all other contents of these documents, each an id and its content hash, as superseded."""
        with self._lock:
            self._contents.executemany(
                "UPDATE contents SET superseded = 1 WHERE document = ? AND content != ?", contents
            )

    def superseded(self) -> Iterator[tuple[str, str]]:
        """Yields document id and content hash of superseded contents."""
        yield from self._contents.execute("SELECT document, content FROM contents WHERE superseded")
