"""Reads documents for `retriton tune`: as they are in JSON lines, or files in chunks as ingestion makes them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from retriton_client import EncoderInfo
from retriton_pipeline.chunking import Chunk, ChunkSize, chunk_document
from retriton_pipeline.cli.escaping import visible
from retriton_pipeline.documents import Document, Unreadable, file_parts, find_files, load_documents
from retriton_pipeline.errors import PipelineError
from retriton_pipeline.tokens import TokenCounter

if TYPE_CHECKING:
    from retriton_export import Checkpoint

_TOKENIZER_FILE = "tokenizer.json"


def read_documents(paths: Sequence[Path], checkpoint: Checkpoint) -> tuple[dict[str, str], dict[str, str]]:
    """Passages by id, and the title of the document of each.

    Args:
        paths: JSON lines with ``_id`` and ``text``, of which each line is a passage; or files and folders, which are
            read and chunked as ingestion does.
        checkpoint: whose tokenizer counts the tokens of chunks.

    Raises:
        PipelineError: a path does not exist, or no document can be read.
    """
    from retriton_tuning import read_corpus

    passages: dict[str, str] = {}
    titles: dict[str, str] = {}
    for path in paths:
        if is_corpus(path):
            found, named = read_corpus(path)
            passages, titles = passages | found, titles | named
            continue
        for document, chunks in _chunked(path, checkpoint):
            for chunk in chunks:
                key = f"{document.source}#{chunk.index}"
                passages[key] = chunk.embedded_text
                titles[key] = document.source
    if not passages:
        raise PipelineError(f"{', '.join(map(str, paths))}: no document has text")
    return passages, titles


def is_corpus(path: Path) -> bool:
    """Whether a file is a corpus in BEIR's layout: its first line is JSON with ``_id`` and ``text``."""
    if path.suffix != ".jsonl" or not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as stream:
        try:
            row = json.loads(stream.readline())
        except ValueError:
            return False
    return isinstance(row, dict) and "_id" in row and "text" in row


def _chunked(path: Path, checkpoint: Checkpoint) -> Iterator[tuple[Document, list[Chunk]]]:
    counter = _counter(checkpoint)
    for file in find_files([path]):
        for part in file_parts(file):
            for document in load_documents(part):
                if isinstance(document, Unreadable):
                    typer.echo(f"skipped {visible(document.source)}: {visible(document.reason)}", err=True)
                else:
                    yield document, chunk_document(document, counter, ChunkSize())


def _counter(checkpoint: Checkpoint) -> TokenCounter:
    tokenizer = (checkpoint.folder / _TOKENIZER_FILE).read_text(encoding="utf-8")
    return TokenCounter(
        EncoderInfo(checkpoint.name, "", 1, checkpoint.max_tokens, True, checkpoint.prompts, "fp32", tokenizer)
    )
