"""`retriton techqa`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from retriton_pipeline.evaluation.techqa import convert


def techqa(
    technotes: Annotated[Path, typer.Argument(help="The technotes: one JSON object, from document id to document.")],
    questions: Annotated[list[Path], typer.Argument(help="Question files, *_Q_A.json.", metavar="QUESTIONS...")],
    out: Annotated[Path, typer.Option(help="The folder to write.")] = Path("techqa"),
    split: Annotated[str, typer.Option(help="Name of the judgements: qrels/<split>.tsv.")] = "test",
) -> None:
    """Convert TechQA's original files for `retriton eval`."""
    done = convert(technotes, questions, out, split)
    typer.echo(f"{out}: {done.documents} documents, {done.answerable} queries; {done.unanswerable} have no answer")
    if done.missing:
        typer.echo(
            f"warning: {len(done.missing)} judged documents are missing, the first is {done.missing[0]}", err=True
        )
