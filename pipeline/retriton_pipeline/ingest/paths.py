"""Ingests files and folders into a collection. Library, command line and gateway all use `ingest_paths`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from retriton_client import AsyncClient, EncoderInfo
from retriton_pipeline.documents import SourceFile, display_name, find_files
from retriton_pipeline.errors import NoSuchCollection, PipelineError
from retriton_pipeline.ingest.ingestion import Ingestion, Progress
from retriton_pipeline.ingest.options import IngestOptions
from retriton_pipeline.ingest.reading import Reader
from retriton_pipeline.ingest.report import IngestReport
from retriton_pipeline.store import Store


async def ingest_paths(
    paths: Sequence[Path],
    client: AsyncClient,
    store: Store | None,
    options: IngestOptions | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    reader: Reader | None = None,
) -> IngestReport:
    """Reads, chunks, embeds and stores the documents in ``paths``.

    Unchanged documents are skipped, and the chunks of changed ones are replaced. A run can be interrupted and repeated.

    Args:
        paths: files, and folders that are searched for files recursively.
        client: client of the server. Configure enough retries to outlast a restart of the server.
        store: target; None for a dry run without a Milvus file.
        options: options of the run; None uses the defaults.
        on_progress: receives the progress after each batch.
        reader: parses and chunks the files, and is left open; None starts processes for this run.

    Raises:
        PipelineError: a path does not exist, a folder is empty in a run that prunes or rebuilds, or no document could
            be read for a rebuild.
        RetritonError, StoreError: see `Ingestion.run`.
    """
    options = options or IngestOptions()
    files = await asyncio.to_thread(_files, paths, options)
    encoder = await client.encoder_info()
    owns_reader = reader is None
    if reader is None:
        reader = await asyncio.to_thread(Reader, encoder, options.chunk_size, options.workers, None, options.limits)
    try:
        target = await asyncio.to_thread(_open_store, store, encoder, options)
        ingestion = Ingestion(client, target, reader, options.dry_run, on_progress, options.metadata)
        report = await ingestion.run(files)
        if options.rebuild:
            await asyncio.to_thread(ingestion.remove_unseen)  # remove leftovers of an interrupted rebuild
        elif options.prune:
            await asyncio.to_thread(ingestion.prune, paths)
    finally:
        if owns_reader:
            await asyncio.to_thread(reader.close)
    if options.rebuild and store and not options.dry_run:
        await asyncio.to_thread(_publish, store)
    return report


def _files(paths: Sequence[Path], options: IngestOptions) -> list[SourceFile]:
    files = list(find_files(paths, options.follow_links))
    if options.prune or options.rebuild:
        _check_not_empty(paths, files, "prune" if options.prune else "rebuild")
    return files


def _check_not_empty(paths: Iterable[Path], files: Sequence[SourceFile], option: str) -> None:
    """Refuses empty folders: usually they are not mounted, and pruning them would delete all their documents."""
    real = [Path(os.path.realpath(file.path.parent)) for file in files]
    for path in paths:
        if path.is_dir() and not any(parent.is_relative_to(os.path.realpath(path)) for parent in real):
            raise PipelineError(
                f"{display_name(path)} contains no files: {option} would delete all documents stored from it"
            )


def _open_store(store: Store | None, encoder: EncoderInfo, options: IngestOptions) -> Store | None:
    """Opens the store to compare with and, except in a dry run, to write to."""
    if store is None:
        return None
    if not options.dry_run:
        if options.rebuild:
            store.rebuild(encoder, options.index)
        else:
            store.open(encoder, create=True, index=options.index)
        return store
    try:
        store.open(encoder)
    except NoSuchCollection:
        return None
    return None if options.rebuild else store


def _publish(store: Store) -> None:
    if not store.count():
        raise PipelineError("no document could be read: the current version of the collection is kept")
    store.publish()
