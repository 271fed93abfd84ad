"""`retriton switch`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from retriton_pipeline.cli.option_groups import expand
from retriton_pipeline.cli.options import CONNECTION, Connection, Json
from retriton_pipeline.cli.output import print_json
from retriton_pipeline.errors import InvalidOption
from retriton_pipeline.store import PROFILES
from retriton_pipeline.switching import OnProgress, SwitchReport


@expand(connection=CONNECTION)
def switch(
    connection: Connection,
    index: Annotated[
        str, typer.Option(help=f"Index of the new version: {', '.join(PROFILES)}. Default: that of the current one.")
    ] = "",
    truncate: Annotated[
        bool,
        typer.Option(
            "--truncate", help="Drop the end of chunks that are longer than the new encoder takes, instead of stopping."
        ),
    ] = False,
    chunks_per_s: Annotated[
        float,
        typer.Option(min=0, help="The most chunks to embed in a second, to leave room for searches. 0: no limit."),
    ] = 0.0,
    rollback: Annotated[
        bool,
        typer.Option(
            "--rollback",
            help="Search the former version again, without embedding. A switch that was interrupted is discarded.",
        ),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="With --rollback: even if documents were written since the switch.")
    ] = False,
    finish: Annotated[bool, typer.Option("--finish", help="Drop the former version: there is no way back.")] = False,
    json_: Json = False,
) -> None:
    """Embed a collection again with another encoder, while it is searched.

    The server of the new encoder (--next-url) runs beside the old one, and gateways know both. Stored texts are
    embedded into a new version of the collection; what is written meanwhile is copied in the end, and then searches use
    the new version with the new encoder. The former version is kept for --rollback.

    Safe to stop and to run again.
    """
    if rollback and finish:
        raise InvalidOption("--rollback needs the version that --finish drops: leave out one of them")
    if force and not rollback:
        raise InvalidOption("--force belongs to --rollback")
    with connection.rag() as rag, _progress_bar() as show:
        if rollback:
            done: str | SwitchReport = rag.roll_back(force=force)
        elif finish:
            done = f"dropped: {', '.join(rag.finish_switch()) or 'nothing'}"
        else:
            done = rag.switch(on_progress=show, index=index, truncate=truncate, chunks_per_s=chunks_per_s)
    _print(done, connection.collection, json_)


@contextmanager
def _progress_bar() -> Iterator[OnProgress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("chunks", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _print(done: str | SwitchReport, collection: str, json_: bool) -> None:
    if json_:
        print_json({"collection": collection, "done": done} if isinstance(done, str) else done.as_json())
    elif isinstance(done, str):
        typer.echo(f"{collection}: {done}")
    elif done.version == done.former:
        typer.echo(f"{collection}: {done.version} was made with {done.encoder} already ({done.chunks} chunks)")
    else:
        truncated = f", {done.truncated} of them truncated" if done.truncated else ""
        typer.echo(
            f"{collection}: searches use {done.version} ({done.encoder}, {done.chunks} chunks); {done.embedded} chunks "
            f"embedded{truncated}, {done.deleted} deleted in {done.seconds:.1f} s, writes refused for "
            f"{done.frozen_s:.1f} s; {done.former} is kept: --rollback, --finish"
        )
