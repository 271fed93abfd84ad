"""`retriton eval`."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from retriton_client import Client
from retriton_pipeline.cli.options import MilvusToken, Url
from retriton_pipeline.evaluation import Dataset, EvalReport, evaluate

_TIMEOUT_S = 300.0


def eval_(
    folder: Annotated[Path, typer.Argument(help="A dataset in the layout of BEIR.", metavar="DIR")],
    split: Annotated[str, typer.Option(help="The judgements in qrels/<split>.tsv.")] = "test",
    url: Url = "127.0.0.1:8001",
    milvus: Annotated[
        str, typer.Option(envvar="RETRITON_MILVUS_URI", help="As for ingest. Default: a temporary Milvus Lite file.")
    ] = "",
    milvus_token: MilvusToken = "",
) -> None:
    """Score retrieval on a BEIR-style dataset; the last line is JSON."""
    dataset = Dataset.read(folder, split)
    with (
        tempfile.TemporaryDirectory(prefix="retriton-eval-") as scratch,
        Client(url, timeout_s=_TIMEOUT_S) as client,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        task = progress.add_task("embedding", total=len(dataset.corpus) + len(dataset.queries))
        report = evaluate(
            dataset,
            client,
            milvus or f"{scratch}/eval.db",
            milvus_token,
            on_texts=lambda count: progress.advance(task, count),
        )
    _print(report)


def _print(report: EvalReport) -> None:
    typer.echo(f"{report.dataset} ({report.split}): {report.documents} documents, {report.queries} queries")
    typer.echo(f"nDCG@10 {report.ndcg_at_10:.4f}   Recall@5 {report.recall_at_5:.4f}")
    typer.echo(json.dumps(report.as_json()))
