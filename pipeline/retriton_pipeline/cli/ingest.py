"""`retriton ingest`."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBar

from retriton_client import AsyncClient, EncoderInfo, Retry, Tls
from retriton_pipeline.chunking import ChunkSize
from retriton_pipeline.cli.options import DEFAULT_MILVUS, Collection, Json, Milvus, MilvusToken, Url
from retriton_pipeline.documents import display_name, find_files, size_of
from retriton_pipeline.errors import NoSuchCollection, PipelineError
from retriton_pipeline.ingest import Ingestion, IngestReport, Progress
from retriton_pipeline.ingest.reading import WORKERS, Reader
from retriton_pipeline.store import PROFILES, Store

EXIT_SKIPPED = 3
# A server that is restarted is back within a minute; the run waits for it.
_PATIENCE = Retry(attempts_max=100, delay_first_s=0.1, delay_max_s=2.0)
_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class IngestOptions:
    """How an ingestion is done; see the options of the command."""

    size: ChunkSize = field(default_factory=ChunkSize)
    workers: int = WORKERS
    index: str = ""
    rebuild: bool = False
    prune: bool = False
    dry_run: bool = False


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files, and folders to search for files.", metavar="PATH...")],
    url: Url = "127.0.0.1:8001",
    milvus: Milvus = DEFAULT_MILVUS,
    milvus_token: MilvusToken = "",
    collection: Collection = "documents",
    chunk_tokens: Annotated[int, typer.Option(help="The most tokens of a chunk.")] = ChunkSize.tokens,
    overlap_tokens: Annotated[
        int, typer.Option(help="Tokens repeated between neighbouring chunks.")
    ] = ChunkSize.overlap_tokens,
    workers: Annotated[int, typer.Option(min=1, help="Processes that read and cut files.")] = WORKERS,
    index: Annotated[
        str,
        typer.Option(
            envvar="RETRITON_INDEX",
            help=f"Index of a collection that is created: {', '.join(PROFILES)}. "
            "Default: flat in a Milvus Lite file, hnsw on a server.",
        ),
    ] = "",
    rebuild: Annotated[
        bool,
        typer.Option(
            "--rebuild",
            help="Build a new version of the collection from the given paths alone, and switch to it at the end.",
        ),
    ] = False,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune",
            help="Remove what is stored of files, and of records of files, that are gone from the given paths.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and cut everything, say what would be done, and change nothing.")
    ] = False,
    json_: Json = False,
) -> None:
    """Read documents, cut them into passages, embed and store them.

    Safe to stop and to run again: unchanged documents cost nothing, changed ones replace their passages. Files that
    cannot be read are named with the reason, and the exit code is 3.

    After a change of the encoder, --rebuild embeds everything anew while searches go on in the present version.
    """
    options = IngestOptions(ChunkSize(chunk_tokens, overlap_tokens), workers, index, rebuild, prune, dry_run)
    report = ingest_paths(paths, url, lambda: Store(milvus, collection, milvus_token, create=not dry_run), options)
    if json_:
        typer.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        _print(report, collection, dry_run)
    if report.skipped:
        raise typer.Exit(EXIT_SKIPPED)


def ingest_paths(paths: list[Path], url: str, open_store: Callable[[], Store], options: IngestOptions) -> IngestReport:
    """Runs an ingestion with a progress bar on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    files = list(find_files(paths))
    if options.prune or options.rebuild:
        _check_not_empty(paths, files, "--prune" if options.prune else "--rebuild")
    store: Store | None = None
    try:
        with suppress(NoSuchCollection) if options.dry_run else nullcontext():
            store = open_store()
        with ProgressBar(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("ingesting", total=sum(map(size_of, files)))

            def show(progress: Progress) -> None:
                rate = progress.tokens / max(bar.tasks[0].elapsed or 0.0, 1e-3)
                text = f"{progress.documents} documents, {progress.chunks} chunks, {rate:,.0f} tokens/s"
                bar.update(task, completed=progress.bytes_done, description=text)

            return asyncio.run(_Run(paths, files, url, store, options).run(show))
    finally:
        if store:
            store.close()


@dataclass(frozen=True)
class _Run:
    paths: list[Path]
    files: list[Path]
    url: str
    store: Store | None
    options: IngestOptions

    async def run(self, show: Callable[[Progress], None]) -> IngestReport:
        async with AsyncClient(self.url, tls=Tls.from_environment()) as client:
            encoder = await client.encoder_info()
        reader = Reader(encoder, self.options.size, self.options.workers)
        try:
            store = self._open(encoder)
            async with AsyncClient(
                self.url, timeout_s=_TIMEOUT_S, retry=_PATIENCE, tls=Tls.from_environment()
            ) as client:
                ingestion = Ingestion(client, store, reader, self.options.dry_run, show)
                report = await ingestion.run(self.files)
            if self.options.rebuild:
                ingestion.remove_unseen()  # what an interrupted run put into the new version
            elif self.options.prune:
                ingestion.prune(self.paths)
        finally:
            reader.close()
        if self.options.rebuild and store and not self.options.dry_run:
            if not store.count():
                raise PipelineError("nothing could be read: the present version of the collection stays")
            store.publish()
        return report

    def _open(self, encoder: EncoderInfo) -> Store | None:
        if self.store is None:
            return None
        if not self.options.dry_run:
            if self.options.rebuild:
                self.store.rebuild(encoder, self.options.index)
            else:
                self.store.open(encoder, create=True, index=self.options.index)
            return self.store
        try:
            self.store.open(encoder)
        except NoSuchCollection:
            return None
        return None if self.options.rebuild else self.store


def _check_not_empty(paths: list[Path], files: list[Path], option: str) -> None:
    """A folder without any file is more often one that is not mounted than one that was emptied."""
    real = [Path(os.path.realpath(file.parent)) for file in files]
    for path in paths:
        if path.is_dir() and not any(parent.is_relative_to(os.path.realpath(path)) for parent in real):
            raise PipelineError(f"{display_name(path)} has no files: {option} would remove all that is stored of it")


def _print(report: IngestReport, collection: str, dry_run: bool) -> None:
    for skipped in report.skipped:
        typer.echo(f"skipped {skipped.source}: {skipped.reason}")
    pruned = "" if report.pruned is None else f", {report.pruned} pruned"
    rate = report.as_json()["tokens_per_s"]
    typer.echo(
        f"{'would be done: ' if dry_run else ''}{report.documents} documents into {collection!r}: "
        f"{report.added} added, "
        f"{report.replaced} replaced, {report.unchanged} unchanged, {len(report.skipped)} skipped{pruned}; "
        f"{report.chunks} chunks in {report.seconds:.1f} s" + (f" ({rate:,.0f} tokens/s)" if rate else "")
    )
