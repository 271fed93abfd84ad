"""`retriton ingest`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBar

from retriton_pipeline.chunking import ChunkSize
from retriton_pipeline.cli.escaping import visible
from retriton_pipeline.cli.option_groups import expand, of_dataclass
from retriton_pipeline.cli.options import CONNECTION, Connection, Json
from retriton_pipeline.cli.output import print_json
from retriton_pipeline.ingest import IngestReport, ParserLimits, Progress, Shard
from retriton_pipeline.ingest.parser_limits import variable_of
from retriton_pipeline.store import PROFILES

EXIT_SKIPPED = 3
BULK_CHUNKS_MIN = 100_000
_NAMED_MAX = 5  # sources that were skipped for the same reason; --json names all


_PANEL = "Limits of parsing a file"


@dataclass(frozen=True)
class ParserLimitOptions:
    """The options for `ParserLimits`."""

    parser_memory_mib: Annotated[
        int,
        typer.Option(
            min=0,
            envvar=variable_of("memory_mib"),
            help="MiB of memory of a process. Default: 2048, or half of the memory divided by the workers if less.",
            rich_help_panel=_PANEL,
        ),
    ] = ParserLimits.memory_mib
    parser_seconds_min: Annotated[
        float, typer.Option(envvar=variable_of("seconds_min"), help="Seconds for small files.", rich_help_panel=_PANEL)
    ] = ParserLimits.seconds_min
    parser_seconds_per_mib: Annotated[
        float,
        typer.Option(envvar=variable_of("seconds_per_mib"), help="Seconds for each MiB.", rich_help_panel=_PANEL),
    ] = ParserLimits.seconds_per_mib
    parser_seconds_max: Annotated[
        float,
        typer.Option(envvar=variable_of("seconds_max"), help="Seconds for the largest files.", rich_help_panel=_PANEL),
    ] = ParserLimits.seconds_max

    @property
    def limits(self) -> ParserLimits:
        """The limits."""
        return ParserLimits(
            self.parser_memory_mib, self.parser_seconds_min, self.parser_seconds_per_mib, self.parser_seconds_max
        )


@expand(connection=CONNECTION, parser=of_dataclass(ParserLimitOptions))
def ingest(
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Files, folders to search for files, and URLs of either (s3://bucket/folder).", metavar="PATH..."
        ),
    ],
    connection: Connection,
    parser: ParserLimitOptions,
    chunk_tokens: Annotated[int, typer.Option(help="Maximum tokens of a chunk.")] = ChunkSize.tokens,
    overlap_tokens: Annotated[
        int, typer.Option(help="The most tokens that neighbouring chunks share.")
    ] = ChunkSize.overlap_tokens,
    workers: Annotated[
        int,
        typer.Option(
            min=0,
            help="Processes that parse and chunk files. Default: half of the cores, at most 8; with --ray, all CPUs of "
            "the cluster.",
            show_default=False,
        ),
    ] = 0,
    index: Annotated[
        str,
        typer.Option(
            envvar="RETRITON_INDEX",
            help=f"Index of a new collection: {', '.join(PROFILES)}. "
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
        bool, typer.Option("--prune", help="Delete stored documents whose files are gone from the given paths.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Parse and chunk everything, report what would change, and write nothing.")
    ] = False,
    follow_links: Annotated[
        bool,
        typer.Option(
            "--follow-links",
            help="Follow links that lead from a given folder to files outside of it, instead of skipping them.",
        ),
    ] = False,
    shard: Annotated[
        str,
        typer.Option(
            envvar="RETRITON_SHARD",
            metavar="INDEX/COUNT",
            help="Ingest one of COUNT parts of the files, from 0/COUNT on. Other processes ingest the others.",
        ),
    ] = "0/1",
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="[ADDRESS]",
            help="Ingest on the Ray cluster at ADDRESS (host:port, auto or ray://host:port), or without ADDRESS on one "
            "that is started on this machine.",
        ),
    ] = None,
    bulk: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="With --rebuild, or for a new collection: write chunks to files in the folder at URL (a path or "
            "s3://bucket/folder), which the Milvus server reads as well, and have it import them.",
        ),
    ] = "",
    bulk_large: Annotated[
        str,
        typer.Option(
            envvar="RETRITON_BULK_URL",
            metavar="URL",
            help=f"As --bulk, for new versions of more than {BULK_CHUNKS_MIN:,} chunks. Others are written in ordinary "
            "calls.",
        ),
    ] = "",
    json_: Json = False,
) -> None:
    """Read documents, split them into chunks, embed and store them.

    Safe to stop and to run again: unchanged documents are skipped, changed ones replace their chunks. Files that
    cannot be read are listed with the reason, and the exit code is 3.

    After a change of the encoder, --rebuild embeds everything again while searches use the present version.
    """
    with connection.rag() as rag, progress_bar() as show:
        report = rag.ingest(
            paths,
            on_progress=show,
            chunk_size=ChunkSize(chunk_tokens, overlap_tokens),
            workers=workers,
            index=index,
            rebuild=rebuild,
            prune=prune,
            dry_run=dry_run,
            follow_links=follow_links,
            limits=parser.limits,
            shard=Shard.parse(shard),
            ray=ray,
            bulk=bulk or bulk_large or None,
            bulk_chunks_min=0 if bulk else BULK_CHUNKS_MIN,
        )
    if json_:
        print_json(report.as_json())
    else:
        _print(report, connection.collection, dry_run)
    if report.skipped:
        raise typer.Exit(EXIT_SKIPPED)


@contextmanager
def progress_bar() -> Iterator[Callable[[Progress], None]]:
    """A progress bar on standard error; gives the function that updates it."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with ProgressBar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("ingesting", total=None)

        def show(progress: Progress) -> None:
            rate = progress.tokens / max(bar.tasks[0].elapsed or 0.0, 1e-3)
            text = f"{progress.documents} documents, {progress.chunks} chunks, {rate:,.0f} tokens/s"
            bar.update(task, completed=progress.bytes_done, total=progress.bytes_total, description=text)

        yield show


def _print(report: IngestReport, collection: str, dry_run: bool) -> None:
    for reason, sources in _by_reason(report).items():
        typer.echo(f"skipped {_listed(sources)}: {visible(reason)}")
    pruned = "" if report.pruned is None else f", {report.pruned} pruned"
    rate = report.as_json()["tokens_per_s"]
    typer.echo(
        f"{'dry run: ' if dry_run else ''}{report.documents} documents into {collection!r}: "
        f"{report.added} added, {report.replaced} replaced, {report.unchanged} unchanged, "
        f"{len(report.skipped)} skipped{pruned}; "
        f"{report.chunks} chunks in {report.seconds:.1f} s" + (f" ({rate:,.0f} tokens/s)" if rate else "")
    )


def _by_reason(report: IngestReport) -> dict[str, list[str]]:
    """The sources that were skipped for each reason."""
    sources: dict[str, list[str]] = {}
    for skipped in report.skipped:
        sources.setdefault(skipped.reason, []).append(skipped.source)
    return sources


def _listed(sources: list[str]) -> str:
    """The first of ``sources``, and the number of the others, on one line."""
    named = ", ".join(map(visible, sources[:_NAMED_MAX]))
    more = len(sources) - _NAMED_MAX
    return f"{named} and {more} more" if more > 0 else named
