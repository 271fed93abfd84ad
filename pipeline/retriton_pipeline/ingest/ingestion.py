"""One ingestion run. Reading, embedding, writing and cleaning overlap, with a limited number of batches between them.

Cleaning deletes former contents of documents. On a Milvus server each deletion waits 0.3 s, whatever it deletes: so one
call does it for all that was written during the call before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from retriton_client import AsyncClient
from retriton_pipeline.batches import batched
from retriton_pipeline.chunking import Chunk
from retriton_pipeline.documents import FilePart, Scalar, SourceFile, Unreadable, file_parts, location, size_of
from retriton_pipeline.ingest.parsing import ReadPart
from retriton_pipeline.ingest.pruning import IDS_PER_CALL, Seen
from retriton_pipeline.ingest.reading import Reader
from retriton_pipeline.ingest.report import IngestReport, Skipped
from retriton_pipeline.store import StoredDocument

_BATCH_CHUNKS = 128
_BATCHES_AHEAD = 2
_UNCLEAN_MAX = 64  # batches that are written, and whose documents may have former contents
_DUPLICATE = "another record of the file has the same id"


@dataclass(frozen=True)
class Progress:
    """The progress of a run.

    Attributes:
        bytes_done, bytes_total: bytes of finished files, and of all files.
        documents: number of finished documents, including unchanged and unreadable ones.
        chunks, tokens: number of chunks written, and of tokens embedded.
    """

    bytes_done: int
    bytes_total: int
    documents: int
    chunks: int
    tokens: int


@dataclass(frozen=True)
class _Row:
    document: StoredDocument
    chunk: Chunk
    replaces: bool  # the store has earlier content of this document


@dataclass(frozen=True)
class _PartDone:
    """Marks the end of a part: when a stage after the writing receives it, all rows of the part are stored."""

    read: ReadPart


_Item = _Row | _PartDone
_Embedded = tuple[list[_Item], asyncio.Task[NDArray[np.float32]]]


class ChunkStore(Protocol):
    """What ingestion needs of a store. `Store` has it, and so has a stand-in for a store of another process."""

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the collection's encoder."""

    def content_hashes(self, document_ids: Sequence[str]) -> dict[str, set[str]]:
        """As `Store.content_hashes`."""

    def upsert(self, rows: Sequence[tuple[StoredDocument, Chunk]], vectors: NDArray[np.float32]) -> None:
        """As `Store.upsert`."""

    def delete_other_contents(self, documents: Sequence[StoredDocument]) -> None:
        """As `Store.delete_other_contents`."""


class Ingestion:
    """One ingestion run over a list of files.

    Args:
        client: client of the server. Configure enough retries (see `retriton_client.Retry`) to outlast a restart of the
            server.
        store: store opened for the served encoder; None for a dry run without a collection.
        reader: reads and chunks the files.
        dry_run: whether to read and count without embedding or writing.
        on_progress: receives the progress after each batch.
        metadata: values for filters, for all documents of the run.

    Attributes:
        report: counts of the run so far.
        seen: documents of the run so far, for pruning.
    """

    def __init__(
        self,
        client: AsyncClient,
        store: ChunkStore | None,
        reader: Reader,
        dry_run: bool = False,
        on_progress: Callable[[Progress], None] = lambda progress: None,
        metadata: Mapping[str, Scalar] | None = None,
    ) -> None:
        self._metadata = metadata or {}
        self._client = client
        self._store = store
        self._written = None if dry_run else store
        self._reader = reader
        self._on_progress = on_progress
        self._bytes_done = self._bytes_total = 0
        self.seen = Seen()
        self.report = IngestReport()

    async def run(self, files: Sequence[SourceFile]) -> IngestReport:
        """Ingests ``files``. Documents written before an error are kept, and the next run skips them.

        Raises:
            RetritonError: the server was unavailable during all retries, or refused a request.
            StoreError: Milvus failed.
        """
        started = time.monotonic()
        self._bytes_total = sum(size_of(file.path) for file in files)
        read: asyncio.Queue[list[_Item] | None] = asyncio.Queue(_BATCHES_AHEAD)
        embedded: asyncio.Queue[_Embedded | None] = asyncio.Queue(_BATCHES_AHEAD)
        written: asyncio.Queue[list[_Item] | None] = asyncio.Queue(_UNCLEAN_MAX)
        try:
            async with asyncio.TaskGroup() as stages:
                stages.create_task(self._read_all(files, read))
                stages.create_task(self._embed_all(read, embedded, stages))
                stages.create_task(self._write_all(embedded, written))
                stages.create_task(self._clean_all(written))
        except ExceptionGroup as errors:  # not except*, which groups what it raises on Python 3.11.2
            raise errors.exceptions[0] from None  # the first error cancelled the other stages
        self.report.seconds = time.monotonic() - started
        return self.report

    async def _read_all(self, files: Iterable[SourceFile], read: asyncio.Queue[list[_Item] | None]) -> None:
        batches = batched(self._items(files), _BATCH_CHUNKS)
        while items := await asyncio.to_thread(next, batches, None):
            await read.put(items)
        await read.put(None)

    async def _embed_all(
        self,
        read: asyncio.Queue[list[_Item] | None],
        embedded: asyncio.Queue[_Embedded | None],
        stages: asyncio.TaskGroup,
    ) -> None:
        """Sends each batch while earlier ones are being embedded, so that the server does not idle."""
        while items := await read.get():
            await embedded.put((items, stages.create_task(self._embed(items))))
        await embedded.put(None)

    async def _embed(self, items: list[_Item]) -> NDArray[np.float32]:
        texts = [item.chunk.embedded_text for item in items if isinstance(item, _Row)]
        if not texts or not self._written:
            return np.empty((0, 0), np.float32)
        embeddings = await self._client.embed(texts, "passage", fingerprint=self._written.fingerprint)
        self.report.tokens += int(embeddings.tokens.sum())
        return embeddings.vectors

    async def _write_all(
        self, embedded: asyncio.Queue[_Embedded | None], written: asyncio.Queue[list[_Item] | None]
    ) -> None:
        while batch := await embedded.get():
            items, vectors = batch
            await asyncio.to_thread(self._write, items, await vectors)
            self._on_progress(self._progress())
            await written.put(items)
        await written.put(None)

    async def _clean_all(self, written: asyncio.Queue[list[_Item] | None]) -> None:
        """Cleans up after all batches that wait, at once; their parts are done then."""
        is_open = True
        while is_open:
            batches = [await written.get()]
            while not written.empty():
                batches.append(written.get_nowait())
            is_open = batches[-1] is not None
            await asyncio.to_thread(self._clean, [item for batch in batches if batch for item in batch])
            self._on_progress(self._progress())

    def _progress(self) -> Progress:
        report = self.report
        return Progress(self._bytes_done, self._bytes_total, report.documents, report.chunks, report.tokens)

    def _items(self, files: Iterable[SourceFile]) -> Iterator[_Item]:
        parts: Iterator[FilePart] = (
            replace(part, metadata=self._metadata, url=file.url) for file in files for part in file_parts(file)
        )
        for read in self._reader.read(parts, self._lookup):
            self._refuse_duplicates(read)
            for document in read.changed:
                for chunk in reversed(document.chunks):  # the first chunk is last: it marks the document as complete
                    yield _Row(document.document, chunk, document.replaces)
            yield _PartDone(read)

    def _refuse_duplicates(self, read: ReadPart) -> None:
        """Keeps the first of several records with the same id; otherwise they would replace each other in every run."""
        for stored in list(read.unchanged):
            if stored.id in self.seen.ids:
                read.unchanged.remove(stored)
                read.unreadable.append(Unreadable(stored.source, _DUPLICATE))
            self.seen.ids.add(stored.id)
        for document in list(read.changed):
            if document.document.id in self.seen.ids:
                read.changed.remove(document)
                read.unreadable.append(Unreadable(document.document.source, _DUPLICATE))
            self.seen.ids.add(document.document.id)

    def _lookup(self, ids: list[str]) -> dict[str, set[str]]:
        known: dict[str, set[str]] = {}
        if self._store:
            for some in batched(ids, IDS_PER_CALL):
                known |= self._store.content_hashes(some)
        return known

    def _write(self, items: list[_Item], vectors: NDArray[np.float32]) -> None:
        rows = [(item.document, item.chunk) for item in items if isinstance(item, _Row)]
        if rows and self._written:
            self._written.upsert(rows, vectors)
        self.report.chunks += len(rows)

    def _clean(self, items: list[_Item]) -> None:
        """Deletes other contents of documents that are complete: former ones, and leftovers of interrupted runs."""
        parts = [item.read for item in items if isinstance(item, _PartDone)]
        documents = [item.document for item in items if isinstance(item, _Row) and item.chunk.index == 0]
        documents += [document for part in parts for document in part.unchanged]
        if self._written:
            for some in batched(documents, IDS_PER_CALL):
                self._written.delete_other_contents(some)
        for part in parts:
            self._count(part)

    def _count(self, read: ReadPart) -> None:
        replaced = sum(document.replaces for document in read.changed)
        self._bytes_done += read.size_bytes
        self.report.documents += len(read.changed) + len(read.unchanged) + len(read.unreadable)
        self.report.replaced += replaced
        self.report.added += len(read.changed) - replaced
        self.report.unchanged += len(read.unchanged)
        self.report.skipped += [Skipped(entry.source, entry.reason) for entry in read.unreadable]
        if read.unreadable:
            self.seen.kept_files.add(read.part.url or location(read.part.file))
