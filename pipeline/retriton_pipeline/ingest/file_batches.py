"""Batches of files: what is copied from a remote file system, and what a worker of a cluster ingests, at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from retriton_client import AsyncClient
from retriton_pipeline.documents import Scalar, SourceFile
from retriton_pipeline.ingest.ingestion import ChunkStore, Ingestion, Progress
from retriton_pipeline.ingest.pruning import Seen
from retriton_pipeline.ingest.reading import Reader
from retriton_pipeline.ingest.remote import RemoteFile, local_copies
from retriton_pipeline.ingest.report import IngestReport
from retriton_pipeline.ingest.sources import Source, size_of_source

FILES_MAX = 64
BYTES_MAX = 8 * 1024**2
CONCURRENT = 2  # batches: one is read while the last chunks of another are embedded and written


@dataclass
class Result:
    """The result of a run, or of a part of it.

    Attributes:
        report: its counts.
        seen: its documents.
        size_bytes: the size of its files.
    """

    report: IngestReport = field(default_factory=IngestReport)
    seen: Seen = field(default_factory=Seen)
    size_bytes: int = 0

    def add(self, other: Result) -> None:
        """Adds the result of another part of the run."""
        self.report.add(other.report)
        self.seen.add(other.seen)
        self.size_bytes += other.size_bytes

    def progress(self, bytes_total: int) -> Progress:
        """The progress of a run whose finished part this is."""
        report = self.report
        return Progress(self.size_bytes, bytes_total, report.documents, report.chunks, report.tokens)


@dataclass(frozen=True)
class BatchIngestion:
    """Ingests batches of files.

    Args:
        client, store, reader, dry_run, metadata: as for `Ingestion`.
    """

    client: AsyncClient
    store: ChunkStore | None
    reader: Reader
    dry_run: bool
    metadata: Mapping[str, Scalar]

    async def ingest(self, files: Sequence[Source]) -> Result:
        """Ingests one batch. Raises as `Ingestion.run`."""
        local = [file for file in files if isinstance(file, SourceFile)]
        remote = [file for file in files if isinstance(file, RemoteFile)]
        ingestion = Ingestion(self.client, self.store, self.reader, self.dry_run, metadata=self.metadata)
        size_bytes = sum(map(size_of_source, files))
        copying = local_copies(remote)
        copies = await asyncio.to_thread(copying.__enter__)
        try:
            report = await ingestion.run([*local, *copies.files])
        finally:
            await asyncio.to_thread(copying.__exit__, None, None, None)
        report.documents += len(copies.skipped)
        report.skipped += copies.skipped
        ingestion.seen.kept_files |= {entry.source for entry in copies.skipped}
        return Result(report, ingestion.seen, size_bytes)

    async def ingest_all(self, files: Sequence[Source], on_progress: Callable[[Progress], None]) -> Result:
        """Ingests all files, a few batches at a time. Raises as `Ingestion.run`."""
        started, total, whole = time.monotonic(), sum(map(size_of_source, files)), Result()
        batches = file_batches(files)

        async def work() -> None:
            for batch in batches:
                whole.add(await self.ingest(batch))
                on_progress(whole.progress(total))

        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(CONCURRENT):
                    workers.create_task(work())
        except ExceptionGroup as errors:  # not except*, which groups what it raises on Python 3.11.2
            raise errors.exceptions[0] from None
        whole.report.seconds = time.monotonic() - started
        return whole


def file_batches(files: Iterable[Source], files_max: int = FILES_MAX) -> Iterator[list[Source]]:
    """Splits files into batches of at most ``files_max`` files and about `BYTES_MAX` bytes, or one larger file."""
    batch: list[Source] = []
    size = 0
    for file in files:
        if batch and (len(batch) == files_max or size + size_of_source(file) > BYTES_MAX):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += size_of_source(file)
    if batch:
        yield batch
