"""`retriton eval`."""

from __future__ import annotations

import json
import tempfile
from itertools import product
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from retriton_client import Client, Tls
from retriton_pipeline.chunking import ChunkSize
from retriton_pipeline.cli.options import MilvusToken, Url
from retriton_pipeline.errors import PipelineError
from retriton_pipeline.evaluation import Configuration, Dataset, EvalReport, indexed
from retriton_pipeline.evaluation.output import draw, table, write_per_query

_TIMEOUT_S = 300.0


def eval_(
    folders: Annotated[list[Path], typer.Argument(help="Datasets in the layout of BEIR.", metavar="DIR...")],
    split: Annotated[str, typer.Option(help="The judgements in qrels/<split>.tsv.")] = "test",
    url: Url = "127.0.0.1:8001",
    milvus: Annotated[
        str, typer.Option(envvar="RETRITON_MILVUS_URI", help="As for ingest. Default: a temporary Milvus Lite file.")
    ] = "",
    milvus_token: MilvusToken = "",
    mode: Annotated[
        list[str] | None, typer.Option(help="dense (default), bm25 or hybrid; several are compared.")
    ] = None,
    history: Annotated[
        str, typer.Option(help="What was said before a query (multi-turn sets): off, on, or both to compare.")
    ] = "off",
    rerank: Annotated[str, typer.Option(help="The served cross-encoder: off, on, or both to compare.")] = "off",
    hops: Annotated[list[int] | None, typer.Option(help="As for search; several are compared. Default: 1.")] = None,
    chunk_tokens: Annotated[
        list[int] | None,
        typer.Option(help="Cut documents into chunks of so many tokens, of which the best one counts; 0: whole."),
    ] = None,
    files: Annotated[
        Path | None,
        typer.Option(help="The files that the corpus was made from: scores what ingestion makes of them."),
    ] = None,
    per_query: Annotated[
        Path | None, typer.Option(help="Write the measures of every query here, as JSON lines.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the comparison here (.png, .svg); needs matplotlib.")] = None,
) -> None:
    """Score retrieval on BEIR-style datasets, in several configurations side by side.

    Prints a table with 95 % confidence intervals, and one JSON line for every dataset and configuration.
    """
    searches = [
        Configuration(*one)
        for one in product(mode or ["dense"], _choice("--history", history), _choice("--rerank", rerank), hops or [1])
    ]
    _check(searches, [target for target in (per_query, plot) if target])
    sizes = [ChunkSize.of(tokens) if tokens else None for tokens in chunk_tokens or [0]]
    datasets = [Dataset.read(folder, split) for folder in folders]
    reports: list[EvalReport] = []
    with (
        Client(url, timeout_s=_TIMEOUT_S, tls=Tls.from_environment()) as client,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        for dataset, size in product(datasets, sizes):
            task = progress.add_task(dataset.name, total=len(dataset.corpus) + len(dataset.queries) * len(searches))
            with tempfile.TemporaryDirectory(prefix="retriton-eval-") as scratch:
                uri = milvus or f"{scratch}/eval.db"
                advance = lambda count, task=task: progress.advance(task, count)  # noqa: E731
                with indexed(dataset, client, uri, milvus_token, size, files, advance) as evaluation:
                    for entry in evaluation.skipped:
                        typer.echo(f"skipped {entry.source}: {entry.reason}", err=True)
                    reports += [evaluation.run(configuration) for configuration in searches]
    if not files:
        _warn_of_missing(datasets)
    typer.echo(table(reports))
    if per_query:
        write_per_query(reports, per_query)
    if plot:
        draw(reports, plot)
    for report in reports:
        typer.echo(json.dumps(report.as_json()))


def _check(searches: list[Configuration], targets: list[Path]) -> None:
    """Refuses what cannot be done before anything is embedded."""
    for search in searches:
        _ = search.options
    for target in targets:
        if not target.absolute().parent.is_dir():
            raise PipelineError(f"{target} cannot be written: there is no such folder")


def _warn_of_missing(datasets: list[Dataset]) -> None:
    for dataset in datasets:
        if dataset.missing:
            warning = f"warning: {dataset.name} has no text of {len(dataset.missing)} relevant documents, the first is"
            typer.echo(f"{warning} {dataset.missing[0]!r}: they count as not found", err=True)


def _choice(option: str, value: str) -> list[bool]:
    choices = {"off": [False], "on": [True], "both": [False, True]}
    if value not in choices:
        raise typer.BadParameter(f"{value!r} is none of off, on, both", param_hint=option)
    return choices[value]
