"""Documents into the store: read, chunk, embed and write overlap, each at most a few batches ahead of the next."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retriton_client import AsyncClient, RetritonError
from retriton_pipeline.batches import batched
from retriton_pipeline.chunking import Chunk, ChunkSize, chunk_document
from retriton_pipeline.documents import display_name, load_document
from retriton_pipeline.errors import PipelineError, UnreadableDocument
from retriton_pipeline.store import Store, StoredDocument, content_digest, document_id
from retriton_pipeline.tokens import TokenCounter

CHUNKER_VERSION = 1  # raise it when the same file would be cut differently
_BATCH_CHUNKS = 128
_BATCHES_AHEAD = 2
_FILES_PER_LOOKUP = 64


@dataclass(frozen=True)
class Skipped:
    """A file that is not in the store, and why."""

    source: str
    reason: str


@dataclass
class IngestReport:
    """What an ingestion did; documents, but for ``chunks`` and ``tokens``, which count what was embedded."""

    documents: int = 0
    chunks: int = 0
    added: int = 0
    unchanged: int = 0
    replaced: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    seconds: float = 0.0
    tokens: int = 0

    def as_json(self) -> dict[str, Any]:
        """The report for programs."""
        document = asdict(self)
        tokens = document.pop("tokens")
        return {
            **document,
            "seconds": round(self.seconds, 3),
            "tokens_per_s": round(tokens / self.seconds, 1) if self.seconds else 0.0,
        }


@dataclass(frozen=True)
class _Row:
    document: StoredDocument
    chunk: Chunk
    replaces: bool  # the store has earlier content of the document


_Embedded = tuple[list[_Row], NDArray[np.float32]]


class Ingestion:
    """One run over some files.

    Args:
        client: the server; give it patience (see `retriton_client.Retry`), so that a restart does not end the run.
        store: opened for the served encoder.
        counter: of the served tokenizer.
        size: of the chunks.
        on_file: told of every file that is done with, for a progress bar.
    """

    def __init__(
        self,
        client: AsyncClient,
        store: Store,
        counter: TokenCounter,
        size: ChunkSize,
        on_file: Callable[[Path], None] = lambda file: None,
    ) -> None:
        self._client = client
        self._store = store
        self._counter = counter
        self._size = size
        self._on_file = on_file
        self.report = IngestReport()

    async def run(self, files: Iterable[Path]) -> IngestReport:
        """Ingests ``files``. What was written before an error stays, and is not written again by the next run.

        Raises:
            RetritonError: the server stayed away, or refused.
            StoreError: Milvus failed.
        """
        started = time.monotonic()
        read: asyncio.Queue[list[_Row] | None] = asyncio.Queue(_BATCHES_AHEAD)
        embedded: asyncio.Queue[_Embedded | None] = asyncio.Queue(_BATCHES_AHEAD)
        try:
            async with asyncio.TaskGroup() as stages:
                stages.create_task(self._read_all(files, read))
                stages.create_task(self._embed_all(read, embedded))
                stages.create_task(self._write_all(embedded))
        except* (RetritonError, PipelineError) as errors:
            raise errors.exceptions[0] from None  # the first; the others are stages that it stopped
        self.report.seconds = time.monotonic() - started
        return self.report

    async def _read_all(self, files: Iterable[Path], read: asyncio.Queue[list[_Row] | None]) -> None:
        batches = batched(self._rows(files), _BATCH_CHUNKS)
        while rows := await asyncio.to_thread(next, batches, None):
            await read.put(rows)
        await read.put(None)

    async def _embed_all(
        self, read: asyncio.Queue[list[_Row] | None], embedded: asyncio.Queue[_Embedded | None]
    ) -> None:
        while rows := await read.get():
            embeddings = await self._client.embed([row.chunk.embedded_text for row in rows], "passage")
            self.report.tokens += int(embeddings.tokens.sum())
            await embedded.put((rows, embeddings.vectors))
        await embedded.put(None)

    async def _write_all(self, embedded: asyncio.Queue[_Embedded | None]) -> None:
        while batch := await embedded.get():
            await asyncio.to_thread(self._write, *batch)

    def _rows(self, files: Iterable[Path]) -> Iterator[_Row]:
        for group in batched(files, _FILES_PER_LOOKUP):
            yield from self._group_rows(group)

    def _group_rows(self, files: list[Path]) -> Iterator[_Row]:
        known = self._store.contents([document_id(file) for file in files])
        unchanged: list[StoredDocument] = []
        for file in files:
            self.report.documents += 1
            try:
                yield from self._file_rows(file, known, unchanged)
            except UnreadableDocument as error:
                self.report.skipped.append(Skipped(display_name(file), str(error)))
            self._on_file(file)
        self.report.unchanged += len(unchanged)
        if unchanged:
            self._store.delete_other_contents(unchanged)  # what interrupted runs left of other versions

    def _file_rows(self, file: Path, known: dict[str, set[str]], unchanged: list[StoredDocument]) -> Iterator[_Row]:
        document = load_document(file)
        key = document_id(file)
        content = content_digest([CHUNKER_VERSION, key, document.sha256, self._size])
        stored = StoredDocument(key, document.source, document.title, content)
        contents = known.get(key, set())
        if content in contents:
            unchanged.append(stored)
            return
        chunks = chunk_document(document, self._counter, self._size)
        for chunk in reversed(chunks):  # the first one last: it says that the document is complete
            yield _Row(stored, chunk, replaces=bool(contents))

    def _write(self, rows: list[_Row], vectors: NDArray[np.float32]) -> None:
        self._store.upsert([(row.document, row.chunk) for row in rows], vectors)
        self.report.chunks += len(rows)
        complete = [row for row in rows if row.chunk.index == 0]
        if complete:
            self._store.delete_other_contents([row.document for row in complete])
        replaced = sum(row.replaces for row in complete)
        self.report.replaced += replaced
        self.report.added += len(complete) - replaced
