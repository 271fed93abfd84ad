"""`retriton eval`."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import typer
from rich.console import Console
from rich.progress import Progress

from retriton_client import AsyncClient, Tls
from retriton_pipeline.chunking import ChunkSize
from retriton_pipeline.cli.backend_options import MilvusToken
from retriton_pipeline.cli.escaping import visible, visible_lines
from retriton_pipeline.cli.option_groups import OptionGroup, expand, flag_of, parameter
from retriton_pipeline.cli.options import Url
from retriton_pipeline.cli.output import print_json
from retriton_pipeline.errors import PipelineError
from retriton_pipeline.evaluation import BASELINE, Configuration, Dataset, EvalReport, indexed
from retriton_pipeline.evaluation.output import draw, table, write_per_query
from retriton_pipeline.rag.asynchronous import DEFAULT_URL
from retriton_pipeline.retrieval import SearchOptions

_TIMEOUT_S = 300.0
_COMPARED = ("mode", "fusion", "dense_weight", "rerank", "hops")
_SWITCHES = {"off": [False], "on": [True], "both": [False, True]}
Switch = Literal["off", "on", "both"]


def compared_options() -> OptionGroup[list[SearchOptions]]:
    """Options of searches, of which several values are compared: each combination makes one search."""
    parameters = []
    for name in _COMPARED:
        field, default = SearchOptions.model_fields[name], getattr(BASELINE, name)
        if bool in get_args(field.annotation):
            option = typer.Option(help=f"{field.description} off, on, or both to compare.", rich_help_panel="Search")
            parameters.append(parameter(name, Annotated[Switch, option], "off"))
        else:
            text = f"{field.description} Repeat it to compare." + ("" if default is None else f" Default: {default}.")
            option = typer.Option(flag_of(name), help=text, rich_help_panel="Search")
            parameters.append(parameter(name, Annotated[list[_scalar(field.annotation)] | None, option], None))  # type: ignore[misc]
    return OptionGroup(tuple(parameters), _combinations)


def _scalar(annotation: Any) -> Any:
    """The type of one value; values of a ``Literal`` are checked by `SearchOptions`."""
    while values := get_args(annotation):
        annotation = values[0]  # of an optional type, its type
    return annotation if isinstance(annotation, type) else type(annotation)


def _combinations(**given: Any) -> list[SearchOptions]:
    values = [
        _SWITCHES[value] if isinstance(value, str) else value or [getattr(BASELINE, name)]
        for name, value in given.items()
    ]
    base = BASELINE.model_dump()
    return [SearchOptions.of(**{**base, **dict(zip(given, one, strict=True))}) for one in product(*values)]


@dataclass(frozen=True)
class _Run:
    """What is evaluated: every dataset, with every chunk size, searched in every way."""

    datasets: Sequence[Dataset]
    sizes: Sequence[ChunkSize | None]
    searches: Sequence[Configuration]
    files: Path | None
    url: str
    milvus: str
    milvus_token: str

    async def reports(self) -> list[EvalReport]:
        """Shows a progress bar on standard error."""
        reports: list[EvalReport] = []
        tls = Tls.from_environment()
        with Progress(console=Console(stderr=True), transient=True) as progress:
            async with AsyncClient(self.url, timeout_s=_TIMEOUT_S, tls=tls) as client:
                for dataset, size in product(self.datasets, self.sizes):
                    total = len(dataset.corpus) + len(dataset.queries) * len(self.searches)
                    task = progress.add_task(dataset.name, total=total)
                    reports += await self._scored(dataset, size, client, partial(progress.advance, task))
        return reports

    async def _scored(
        self, dataset: Dataset, size: ChunkSize | None, client: AsyncClient, advance: Callable[[int], None]
    ) -> list[EvalReport]:
        with tempfile.TemporaryDirectory(prefix="retriton-eval-") as scratch:
            uri = self.milvus or f"{scratch}/eval.db"
            async with indexed(dataset, client, uri, self.milvus_token, size, self.files, advance) as evaluation:
                for entry in evaluation.skipped:
                    typer.echo(f"skipped {visible(entry.source)}: {visible(entry.reason)}", err=True)
                return [await evaluation.run(search) for search in self.searches]


@expand(searches=compared_options())
def evaluate(
    folders: Annotated[list[Path], typer.Argument(help="Datasets in BEIR's layout.", metavar="DIR...")],
    searches: list[SearchOptions],
    split: Annotated[str, typer.Option(help="The judgements: qrels/<split>.tsv.")] = "test",
    url: Url = DEFAULT_URL,
    milvus: Annotated[
        str, typer.Option(envvar="RETRITON_MILVUS_URI", help="As for ingest. Default: a temporary Milvus Lite file.")
    ] = "",
    milvus_token: MilvusToken = "",
    history: Annotated[
        Switch, typer.Option(help="The conversation before a query (multi-turn sets): off, on, or both to compare.")
    ] = "off",
    chunk_tokens: Annotated[
        list[int] | None,
        typer.Option(
            help="Split documents into chunks of at most this many tokens, the best of which counts; 0: whole "
            "documents. Repeat it to compare. Default: 0."
        ),
    ] = None,
    files: Annotated[
        Path | None, typer.Option(help="The files that the corpus was made from, to score ingestion as well.")
    ] = None,
    per_query: Annotated[
        Path | None, typer.Option(help="Write the measures of every query to this file, as JSON lines.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Plot the comparison to this file (.png, .svg).")] = None,
) -> None:
    """Score retrieval on datasets in BEIR's layout.

    Several configurations are compared. Prints a table with 95 % confidence intervals, and one line of JSON for every
    dataset and configuration.
    """
    _check_writable([target for target in (per_query, plot) if target])
    sizes = [ChunkSize.of(tokens) if tokens else None for tokens in chunk_tokens or [0]]
    datasets = [Dataset.read(folder, split) for folder in folders]
    configurations = [Configuration(options, turns) for options in searches for turns in _SWITCHES[history]]
    reports = asyncio.run(_Run(datasets, sizes, configurations, files, url, milvus, milvus_token).reports())
    if not files:
        _warn_of_missing(datasets)
    typer.echo(visible_lines(table(reports)))
    if per_query:
        write_per_query(reports, per_query)
    if plot:
        draw(reports, plot)
    for report in reports:
        print_json(report.as_json())


def _check_writable(targets: Sequence[Path]) -> None:
    for target in targets:
        if not target.absolute().parent.is_dir():
            raise PipelineError(f"{target} cannot be written: its folder does not exist")


def _warn_of_missing(datasets: Sequence[Dataset]) -> None:
    for dataset in datasets:
        if dataset.missing:
            typer.echo(
                f"warning: {dataset.name} lacks the text of {len(dataset.missing)} relevant documents, the first is "
                f"{dataset.missing[0]!r}: they count as not found",
                err=True,
            )
