"""One ingestion run. Reading, embedding and writing overlap, with at most a few batches between the stages."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from retriton_client import AsyncClient
from retriton_pipeline.batches import batched
from retriton_pipeline.chunking import Chunk
from retriton_pipeline.documents import (
    FilePart,
    Scalar,
    SourceFile,
    Unreadable,
    display_name,
    file_parts,
    location,
    size_of,
)
from retriton_pipeline.ingest.reading import Reader, ReadPart
from retriton_pipeline.ingest.report import IngestReport, Skipped
from retriton_pipeline.store import Store, StoredDocument

_BATCH_CHUNKS = 128
_BATCHES_AHEAD = 2
_IDS_PER_CALL = 512
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
    """Marks the end of a part: when the last stage receives it, all rows of the part are stored."""

    read: ReadPart


_Item = _Row | _PartDone
_Embedded = tuple[list[_Item], asyncio.Task[NDArray[np.float32]]]


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
    """

    def __init__(
        self,
        client: AsyncClient,
        store: Store | None,
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
        self._seen: set[str] = set()  # ids of documents
        self._kept_files: set[str] = set()
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
        try:
            async with asyncio.TaskGroup() as stages:
                stages.create_task(self._read_all(files, read))
                stages.create_task(self._embed_all(read, embedded, stages))
                stages.create_task(self._write_all(embedded))
        except ExceptionGroup as errors:  # not except*, which groups what it raises on Python 3.11.2
            raise errors.exceptions[0] from None  # the first error cancelled the other stages
        self.report.seconds = time.monotonic() - started
        return self.report

    def prune(self, roots: Iterable[Path]) -> int:
        """Deletes documents of files below ``roots`` that no longer exist, and returns their number.

        Call it after `run`. Documents of files and folders that exist but could not be read are kept.
        """
        folders = [_root(root) for root in roots]
        self.report.pruned = self._remove(lambda document: not _file_and_parents(document).isdisjoint(folders))
        return self.report.pruned

    def remove_unseen(self) -> None:
        """Deletes all documents that the run did not see, except those of unreadable files. Call it after `run`."""
        self._remove(lambda document: True)

    def _remove(self, is_candidate: Callable[[StoredDocument], bool]) -> int:
        stored = self._store.documents() if self._store else ()
        gone = [document for document in stored if is_candidate(document) and self._is_gone(document)]
        if self._written:
            for documents in batched(gone, _IDS_PER_CALL):
                self._written.delete(documents)
        return len(gone)

    def _is_gone(self, document: StoredDocument) -> bool:
        return document.id not in self._seen and self._kept_files.isdisjoint(_file_and_parents(document))

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

    async def _write_all(self, embedded: asyncio.Queue[_Embedded | None]) -> None:
        while batch := await embedded.get():
            items, vectors = batch
            await asyncio.to_thread(self._write, items, await vectors)
            self._on_progress(self._progress())

    def _progress(self) -> Progress:
        report = self.report
        return Progress(self._bytes_done, self._bytes_total, report.documents, report.chunks, report.tokens)

    def _items(self, files: Iterable[SourceFile]) -> Iterator[_Item]:
        parts: Iterator[FilePart] = (
            replace(part, metadata=self._metadata) for file in files for part in file_parts(file)
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
            if stored.id in self._seen:
                read.unchanged.remove(stored)
                read.unreadable.append(Unreadable(stored.source, _DUPLICATE))
            self._seen.add(stored.id)
        for document in list(read.changed):
            if document.document.id in self._seen:
                read.changed.remove(document)
                read.unreadable.append(Unreadable(document.document.source, _DUPLICATE))
            self._seen.add(document.document.id)

    def _lookup(self, ids: list[str]) -> dict[str, set[str]]:
        known: dict[str, set[str]] = {}
        if self._store:
            for some in batched(ids, _IDS_PER_CALL):
                known |= self._store.content_hashes(some)
        return known

    def _write(self, items: list[_Item], vectors: NDArray[np.float32]) -> None:
        rows = [item for item in items if isinstance(item, _Row)]
        if rows and self._written:
            self._written.upsert([(row.document, row.chunk) for row in rows], vectors)
            if complete := [row.document for row in rows if row.chunk.index == 0]:
                self._written.delete_other_contents(complete)
        self.report.chunks += len(rows)
        for item in items:
            if isinstance(item, _PartDone):
                self._count(item.read)

    def _count(self, read: ReadPart) -> None:
        replaced = sum(document.replaces for document in read.changed)
        self._bytes_done += read.size_bytes
        self.report.documents += len(read.changed) + len(read.unchanged) + len(read.unreadable)
        self.report.replaced += replaced
        self.report.added += len(read.changed) - replaced
        self.report.unchanged += len(read.unchanged)
        self.report.skipped += [Skipped(entry.source, entry.reason) for entry in read.unreadable]
        if read.unreadable:
            self._kept_files.add(location(read.part.file))
        if self._written:
            for unchanged in batched(read.unchanged, _IDS_PER_CALL):
                self._written.delete_other_contents(unchanged)  # remove leftovers of interrupted runs


def _root(path: Path) -> str:
    return display_name(Path(os.path.realpath(path))) if path.is_dir() else location(path)


def _file_and_parents(document: StoredDocument) -> set[str]:
    """The document's file and all its parent folders."""
    return {document.file, *map(str, PurePath(document.file).parents)}
