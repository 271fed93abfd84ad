"""Reads a folder in the layout of BEIR."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ir_measures import Qrel

from retriton_pipeline.errors import DatasetError


@dataclass(frozen=True)
class Dataset:
    """A corpus, queries and judgements.

    Attributes:
        name: of the folder.
        split: of the judgements.
        corpus: text by document id, title and text joined by a space.
        queries: text by query id, only those that are judged.
        qrels: the judgements.
    """

    name: str
    split: str
    corpus: dict[str, str]
    queries: dict[str, str]
    qrels: list[Qrel]

    @classmethod
    def read(cls, folder: Path, split: str = "test") -> Dataset:
        """Reads ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/<split>.tsv``.

        Raises:
            DatasetError: a file is missing or malformed, or a judged query has no text.
        """
        qrels = list(_read_qrels(folder / "qrels" / f"{split}.tsv"))
        texts = {row["_id"]: row["text"].strip() for row in _read_jsonl(folder / "queries.jsonl")}
        judged = dict.fromkeys(qrel.query_id for qrel in qrels)
        if not judged:
            raise DatasetError(f"{folder}: qrels/{split}.tsv judges no query")
        if missing := [query for query in judged if query not in texts]:
            raise DatasetError(f"{folder}: {len(missing)} judged queries have no text, the first is {missing[0]!r}")
        corpus = {row["_id"]: f"{row['title']} {row['text']}".strip() for row in _read_jsonl(folder / "corpus.jsonl")}
        return cls(folder.resolve().name, split, corpus, {query: texts[query] for query in judged}, qrels)


def _read_jsonl(file: Path) -> Iterator[dict[str, str]]:
    """Rows with ``_id``, ``title`` and ``text``, all strings."""
    for number, line in enumerate(_lines(file), start=1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DatasetError(f"{file}:{number} is not JSON: {error}") from error
        if not isinstance(row, dict) or "_id" not in row or "text" not in row:
            raise DatasetError(f"{file}:{number} is not an object with '_id' and 'text'")
        yield {"_id": str(row["_id"]), "title": str(row.get("title") or ""), "text": str(row["text"] or "")}


def _read_qrels(file: Path) -> Iterator[Qrel]:
    lines = _lines(file)
    next(lines, None)  # the header
    for number, row in enumerate(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE), start=2):
        try:
            query, document, score = row
            yield Qrel(query, document, int(score))
        except ValueError:
            raise DatasetError(f"{file}:{number} is not query-id, corpus-id, score: {row}") from None


def _lines(file: Path) -> Iterator[str]:
    try:
        with file.open(encoding="utf-8") as stream:
            yield from (line for line in stream if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{file} cannot be read: {error}") from error
