"""`retriton ingest`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from retriton_client import AsyncClient, Retry
from retriton_pipeline.chunking import ChunkSize
from retriton_pipeline.cli.options import DEFAULT_MILVUS, Collection, Json, Milvus, MilvusToken, Url
from retriton_pipeline.documents import find_files
from retriton_pipeline.ingest import Ingestion, IngestReport
from retriton_pipeline.store import Store
from retriton_pipeline.tokens import TokenCounter

EXIT_SKIPPED = 3
# A server that is restarted is back within a minute; the run waits for it.
_PATIENCE = Retry(attempts_max=100, delay_first_s=0.1, delay_max_s=2.0)
_TIMEOUT_S = 120.0


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files, and folders to search for files.", metavar="PATH...")],
    url: Url = "127.0.0.1:8001",
    milvus: Milvus = DEFAULT_MILVUS,
    milvus_token: MilvusToken = "",
    collection: Collection = "documents",
    chunk_tokens: Annotated[int, typer.Option(help="The most tokens of a chunk.")] = 256,
    overlap_tokens: Annotated[int, typer.Option(help="Tokens repeated between neighbouring chunks.")] = 32,
    json_: Json = False,
) -> None:
    """Read documents, cut them into passages, embed and store them.

    Safe to stop and to run again: unchanged documents cost nothing, changed ones replace their passages. Files that
    cannot be read are named with the reason, and the exit code is 3.
    """
    size = ChunkSize(chunk_tokens, overlap_tokens)
    report = ingest_files(list(find_files(paths)), url, Store(milvus, collection, milvus_token), size)
    if json_:
        typer.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        _print(report, collection)
    if report.skipped:
        raise typer.Exit(EXIT_SKIPPED)


def ingest_files(files: list[Path], url: str, store: Store, size: ChunkSize) -> IngestReport:
    """Runs an ingestion with a progress bar on standard error, and closes ``store``."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("ingesting files", total=len(files))
            return asyncio.run(_ingest(files, url, store, size, lambda: progress.advance(task)))
    finally:
        store.close()


async def _ingest(
    files: list[Path], url: str, store: Store, size: ChunkSize, advance: Callable[[], None]
) -> IngestReport:
    async with AsyncClient(url) as client:
        encoder = await client.encoder_info()
    store.open(encoder, create=True)
    async with AsyncClient(url, timeout_s=_TIMEOUT_S, retry=_PATIENCE) as client:
        return await Ingestion(client, store, TokenCounter(encoder), size, lambda file: advance()).run(files)


def _print(report: IngestReport, collection: str) -> None:
    for skipped in report.skipped:
        typer.echo(f"skipped {skipped.source}: {skipped.reason}")
    typer.echo(
        f"{report.documents} documents into {collection!r}: {report.added} added, {report.replaced} replaced, "
        f"{report.unchanged} unchanged, {len(report.skipped)} skipped; "
        f"{report.chunks} chunks in {report.seconds:.1f} s"
    )
