"""What several commands print."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from retriton_pipeline.cli.escaping import visible, visible_json
from retriton_pipeline.retrieval import Passage

_PREVIEW_CHARACTERS = 300


def print_json(document: Mapping[str, Any]) -> None:
    """One JSON object on one line."""
    typer.echo(visible_json(json.dumps(document, ensure_ascii=False)))


def print_passages(passages: Sequence[Passage]) -> None:
    """Passages for people: score, place, and the beginning of the text."""
    if not passages:
        typer.echo("no passage found")
    for number, passage in enumerate(passages, start=1):
        place = f"{place_of(passage)}, chunk {passage.chunk_index}"
        typer.echo(f"[{number}] {passage.score:.4f}  {place}\n    {_preview(passage.text)}")


def place_of(passage: Passage) -> str:
    """Its source, and the page where there is one."""
    return visible(passage.source) + (f", page {passage.page}" if passage.page else "")


def warn_of_truncation(tokens_dropped: int) -> None:
    """A warning on standard error if the query exceeds the encoder's limit."""
    if tokens_dropped:
        typer.echo(f"warning: the query is too long: its first {tokens_dropped} tokens were dropped", err=True)


def _preview(text: str) -> str:
    line = " ".join(text.split())
    return visible(line if len(line) <= _PREVIEW_CHARACTERS else line[: _PREVIEW_CHARACTERS - 1] + "…")
