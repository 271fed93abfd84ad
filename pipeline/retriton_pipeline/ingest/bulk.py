"""Ingestion by bulk import: chunks go to Parquet files, which a Milvus server imports into a new version.

The files are kept until the new version is published. So a run that is interrupted, or whose import fails, leaves the
version in use as it is, and the next one embeds only what the files lack.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from retriton_client import EncoderInfo
from retriton_pipeline.analysis import ANALYSIS
from retriton_pipeline.batches import batched
from retriton_pipeline.chunking import Chunk
from retriton_pipeline.errors import InvalidOption, PipelineError, StoreError
from retriton_pipeline.ingest.import_files import ImportFiles, ImportFolder, Row, without_damaged
from retriton_pipeline.ingest.options import IngestOptions
from retriton_pipeline.ingest.pruning import IDS_PER_CALL, Seen, remove_unseen
from retriton_pipeline.ingest.written_chunks import WrittenChunks
from retriton_pipeline.store import LAYOUT, ImportJobs, Store, StoredDocument, content_hash, import_files, import_jobs

_COUNTED_S = 60.0  # until imported rows are counted
_POLL_S = 0.5
_KEYS = ("id", "document_id", "content_hash", "chunk_index")

log = logging.getLogger("retriton.ingest")


class BulkImport:
    """The store of one ingestion run (see `ChunkStore`), which imports all chunks at its end.

    Args:
        store: connected to a Milvus server.
        jobs: the import jobs of that server.
        encoder: served encoder.
        options: of the run; with at most ``bulk_chunks_min`` chunks, they are written in ordinary calls after all.

    Raises:
        PipelineError: the folder at ``options.bulk`` cannot be used.
        StoreError: Milvus failed.
    """

    def __init__(self, store: Store, jobs: ImportJobs, encoder: EncoderInfo, options: IngestOptions) -> None:
        self._store, self._jobs, self._chunks_min = store, jobs, options.bulk_chunks_min
        self._lock = threading.Lock()  # a write may still run in its thread when the run is cancelled
        self._importing = False
        self._folder = ImportFolder(options.bulk or "", _folder_name(store, encoder))
        with ExitStack() as undo:
            scratch = Path(undo.enter_context(TemporaryDirectory(prefix="retriton-bulk-")))
            self._written = undo.enter_context(closing(WrittenChunks()))
            self._resumed = self._resume()
            store.stage(encoder, options.index)
            self._files = ImportFiles(store.schema(), self._folder, scratch)
            self._undo = undo.pop_all()

    def close(self) -> None:
        """Removes temporary files; those of an import that did not `finish` are kept."""
        self._undo.close()

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the collection's encoder."""
        return self._store.fingerprint

    def content_hashes(self, document_ids: Sequence[str]) -> dict[str, set[str]]:
        """As `Store.content_hashes`, of what the files contain."""
        return self._written.content_hashes(document_ids)

    def upsert(self, rows: Sequence[tuple[StoredDocument, Chunk]], vectors: NDArray[np.float32]) -> None:
        """Writes chunks that the files lack. Vectors are float32 ``[rows, dimension]``."""
        data = self._store.rows(rows, vectors)
        with self._lock:
            self._files.write(row for row, is_new in zip(data, self._written.add(data), strict=True) if is_new)

    def delete_other_contents(self, documents: Sequence[StoredDocument]) -> None:
        """As `Store.delete_other_contents`, when the import is done."""
        self._written.supersede([(document.id, document.content_hash) for document in documents])

    def finish(self, seen: Seen) -> None:
        """Imports the files into the new version, counts its rows, and publishes it.

        Args:
            seen: by the run. Documents of an interrupted run that it did not see are deleted.

        Raises:
            PipelineError: there is no chunk.
            StoreError: Milvus failed, or has another number of rows. Call `abandon` then.
        """
        with self._lock:
            self._files.flush()
        if not self._written.count:
            raise PipelineError("no document could be read: the current version of the collection is kept")
        try:
            self._fill()
            if self._resumed:
                self._remove_leftovers(seen)
        except StoreError as error:
            raise StoreError(
                f"{error}. The version in use is unchanged. The {self._written.count} chunks are kept in "
                f"{self._folder.url}: the same command, run again, imports them without embedding them again"
            ) from error
        self._store.publish()
        try:
            self._folder.remove()
        except PipelineError as error:  # the next import would only find what it embeds anyway
            log.warning("%s: remove it", error)

    def _fill(self) -> None:
        if self._written.count <= self._chunks_min:
            self._upsert_all()
        else:
            self._import_all()
        self._store.load()
        self._check_count()

    def _remove_leftovers(self, seen: Seen) -> None:
        for contents in batched(self._written.superseded(), IDS_PER_CALL):
            self._store.delete_contents(contents)
        remove_unseen(self._store, seen)

    def abandon(self) -> None:
        """Drops the new version after an error, and keeps what was embedded in files for the next run.

        While an import runs, in a thread that cannot be cancelled, the version is left to the next run.
        """
        if self._importing:
            return
        try:
            with self._lock:
                self._files.flush()
            self._store.abandon()
        except PipelineError as error:  # the next run drops the version; what ended this run is what matters
            log.warning("%s", error)

    def _import_all(self) -> None:
        files = [self._folder.server_path(name) for name in self._folder.names()]
        log.info("importing %d chunks of %d files from %s", self._written.count, len(files), self._folder.url)
        self._importing = True
        try:
            reported = import_files(self._jobs, self._store.target, files)
        finally:
            self._importing = False
        if reported != self._written.count:
            raise StoreError(
                f"Milvus reports {reported} imported chunks of {self._written.count} that were written to {len(files)} "
                "files"
            )

    def _upsert_all(self) -> None:
        for name in self._folder.names():
            for rows in self._folder.batches(name):
                self._store.upsert_rows([_as_row(row) for row in rows])

    def _check_count(self) -> None:
        """Waits until Milvus counts what was written: segments of an import appear a little later."""
        deadline = time.monotonic() + _COUNTED_S
        while (found := self._store.count()) != self._written.count and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        if found != self._written.count:
            raise StoreError(
                f"Milvus counts {found} chunks after the import of {self._written.count} ({self._store.target})"
            )

    def _resume(self) -> int:
        """Reads what the files of an interrupted run contain, and returns the number of their chunks."""
        for rows in self._present():
            self._written.add(rows)
        if self._written.count:
            log.warning("%s has %d chunks of an interrupted run: continuing it", self._folder.url, self._written.count)
        return self._written.count

    def _present(self) -> Iterator[list[Row]]:
        for name in without_damaged(self._folder):
            yield from self._folder.batches(name, _KEYS)


def open_bulk(store: Store | None, encoder: EncoderInfo, options: IngestOptions) -> BulkImport | None:
    """Returns the bulk import of a run; None if it writes in ordinary calls.

    A warning gives the reason if the run asks for a bulk import of any number of chunks.

    Raises:
        InvalidOption: the collection has chunks, and the run does not rebuild it.
        PipelineError, StoreError: see `BulkImport`.
    """
    if store is None or options.dry_run or options.is_distributed:
        return None
    jobs = import_jobs(store.milvus)
    if isinstance(jobs, str):
        if not options.bulk_chunks_min:
            log.warning("%s: %s. The chunks are written in ordinary calls instead", store.uri, jobs)
        return None
    if not options.rebuild and (chunks := _chunks(store, encoder)):
        if options.bulk_chunks_min:
            return None
        raise InvalidOption(
            f"collection {store.collection!r} has {chunks} chunks, and a bulk import makes a new version of the given "
            "paths alone: replace them with --rebuild, or add to them without --bulk"
        )
    return BulkImport(store, jobs, encoder, options)


def _chunks(store: Store, encoder: EncoderInfo) -> int:
    if store.versions.resolve(store.collection) is None:
        return 0
    store.open(encoder)
    return store.count()


def _folder_name(store: Store, encoder: EncoderInfo) -> str:
    """The folder of a collection's files: another encoder or layout has another, so that rows of both never mix."""
    kind = content_hash([encoder.fingerprint, encoder.dimension, LAYOUT, ANALYSIS, store.milvus.supports_bm25()])
    return f"retriton-{store.collection}-{kind[:12]}"


def _as_row(row: Row) -> Row:
    """A row of a Parquet file as `Store.rows` makes it."""
    return {**row, "metadata": json.loads(row["metadata"]), "vector": np.array(row["vector"], np.float32)}
