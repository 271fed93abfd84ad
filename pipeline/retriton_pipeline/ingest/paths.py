"""Ingests files and folders into a collection. Library, command line and gateway all use `ingest_paths`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from retriton_client import AsyncClient, EncoderInfo
from retriton_pipeline.documents import SourceFile
from retriton_pipeline.errors import NoSuchCollection, PipelineError
from retriton_pipeline.ingest.file_batches import BatchIngestion, Result
from retriton_pipeline.ingest.ingestion import ChunkStore, Ingestion, Progress
from retriton_pipeline.ingest.options import IngestOptions
from retriton_pipeline.ingest.pruning import prune, remove_unseen
from retriton_pipeline.ingest.ray_environment import LOCAL, prepare
from retriton_pipeline.ingest.reading import Reader, check_size
from retriton_pipeline.ingest.report import IngestReport
from retriton_pipeline.ingest.sources import Source, as_source, find_sources
from retriton_pipeline.store import Store

if TYPE_CHECKING:  # needs the extra `bulk`
    from retriton_pipeline.ingest.bulk import BulkImport

OnProgress = Callable[[Progress], None]
T = TypeVar("T", bound=ChunkStore | None)


async def ingest_paths(
    paths: Sequence[Path | str],
    client: AsyncClient,
    store: Store | None,
    options: IngestOptions | None = None,
    on_progress: OnProgress = lambda progress: None,
    reader: Reader | None = None,
) -> IngestReport:
    """Reads, chunks, embeds and stores the documents in ``paths``.

    Unchanged documents are skipped, and the chunks of changed ones are replaced. A run can be interrupted and repeated.

    Args:
        paths: files, folders that are searched for files recursively, and URLs of either.
        client: client of the server. Configure enough retries to outlast a restart of the server.
        store: target; None for a dry run without a Milvus file.
        options: options of the run; None uses the defaults.
        on_progress: receives the progress after each batch.
        reader: parses and chunks the files, and is left open; None starts processes for this run. Not used with Ray.

    Raises:
        PipelineError: a path does not exist, a folder is empty in a run that prunes or rebuilds, no document could be
            read for a rebuild, or the Ray cluster failed.
        RetritonError, StoreError: see `Ingestion.run`.
        MissingExtra: a URL needs the extra ``urls``, or Ray the extra ``ray``.
    """
    options = options or IngestOptions()
    roots = [as_source(path) for path in paths]
    sources = await asyncio.to_thread(find_sources, roots, options)
    encoder = await client.encoder_info()
    if options.bulk and (bulk := await asyncio.to_thread(_open_bulk, store, encoder, options)):
        return await _in_bulk(bulk, sources, client, encoder, options, on_progress, reader)
    if options.ray is None:
        opener = partial(_open_store, store, encoder, options)
        target, result = await _in_process(sources, client, opener, encoder, options, on_progress, reader)
    else:
        target, result = await _on_ray(sources, client, store, encoder, options, on_progress)
    if options.rebuild:  # remove leftovers of an interrupted rebuild
        await asyncio.to_thread(remove_unseen, target, result.seen, options.dry_run)
        if store and not options.dry_run:
            await asyncio.to_thread(_publish, store)
    elif options.prune:
        owns = options.shard.owns if options.shard.count > 1 else (lambda file: True)
        result.report.pruned = await asyncio.to_thread(prune, target, result.seen, roots, options.dry_run, owns)
    if store and result.report.chunks and not options.dry_run:
        await asyncio.to_thread(store.warn_if_slow)
    return result.report


def _open_bulk(store: Store | None, encoder: EncoderInfo, options: IngestOptions) -> BulkImport | None:
    bulk = import_module("retriton_pipeline.ingest.bulk")  # imports clients of object stores
    opened: BulkImport | None = bulk.open_bulk(store, encoder, options)
    return opened


async def _in_bulk(
    bulk: BulkImport,
    sources: Sequence[Source],
    client: AsyncClient,
    encoder: EncoderInfo,
    options: IngestOptions,
    on_progress: OnProgress,
    reader: Reader | None,
) -> IngestReport:
    """Ingests into the new version of a bulk import, and publishes it."""
    started = time.monotonic()
    with closing(bulk), ExitStack() as on_error:
        on_error.callback(bulk.abandon)
        _, result = await _in_process(sources, client, lambda: bulk, encoder, options, on_progress, reader)
        await asyncio.to_thread(bulk.finish, result.seen)
        on_error.pop_all()
    if options.prune and not options.rebuild:
        result.report.pruned = 0  # the version is new
    result.report.seconds = time.monotonic() - started
    return result.report


async def _in_process(
    sources: Sequence[Source],
    client: AsyncClient,
    open_target: Callable[[], T],
    encoder: EncoderInfo,
    options: IngestOptions,
    on_progress: OnProgress,
    reader: Reader | None,
) -> tuple[T, Result]:
    opened = reader
    if opened is None:
        processes = options.processes
        opened = await asyncio.to_thread(Reader, encoder, options.chunk_size, processes, None, options.limits)
    try:
        target = await asyncio.to_thread(open_target)
        local = [source for source in sources if isinstance(source, SourceFile)]
        if len(local) == len(sources):  # one batch, in which reading, embedding and writing overlap throughout
            ingestion = Ingestion(client, target, opened, options.dry_run, on_progress, options.metadata)
            return target, Result(await ingestion.run(local), ingestion.seen)
        batches = BatchIngestion(client, target, opened, options.dry_run, options.metadata)
        return target, await batches.ingest_all(sources, on_progress)
    finally:
        if reader is None:
            await asyncio.to_thread(opened.close)


async def _on_ray(
    sources: Sequence[Source],
    client: AsyncClient,
    store: Store | None,
    encoder: EncoderInfo,
    options: IngestOptions,
    on_progress: OnProgress,
) -> tuple[Store | None, Result]:
    prepare(options.ray or LOCAL)
    cluster = await asyncio.to_thread(import_module, "retriton_pipeline.ingest.cluster")  # imports Ray, for seconds

    check_size(encoder, options.chunk_size)
    target = await asyncio.to_thread(_open_store, store, encoder, options)
    return target, await cluster.ClusterIngestion(client, target, encoder, options).run(sources, on_progress)


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
