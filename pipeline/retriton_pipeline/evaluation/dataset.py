"""Reads a folder in the layout of BEIR."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ir_measures import Qrel

from retriton_pipeline.errors import DatasetError
from retriton_pipeline.retrieval import Turn


@dataclass(frozen=True)
class CorpusDocument:
    """A document of a corpus."""

    title: str
    text: str

    @property
    def whole(self) -> str:
        """Title and text, joined by a space."""
        return f"{self.title} {self.text}".strip()


@dataclass(frozen=True)
class Dataset:
    """A corpus, queries and judgements.

    Attributes:
        name: of the folder.
        split: of the judgements.
        corpus: documents by id.
        queries: text by query id, only those that are judged.
        histories: what was said before a query, oldest first, by query id; only where there is something.
        qrels: the judgements.
    """

    name: str
    split: str
    corpus: dict[str, CorpusDocument]
    queries: dict[str, str]
    histories: dict[str, list[Turn]]
    qrels: list[Qrel]

    @property
    def missing(self) -> list[str]:
        """Relevant documents that the corpus does not have; pages of files are not looked for."""
        relevant = dict.fromkeys(qrel.doc_id for qrel in self.qrels if qrel.relevance > 0)
        return [document for document in relevant if document not in self.corpus]

    @classmethod
    def read(cls, folder: Path, split: str = "test") -> Dataset:
        """Reads ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/<split>.tsv``.

        Raises:
            DatasetError: a file is missing or malformed, or a judged query has no text.
        """
        qrels = list(_read_qrels(folder / "qrels" / f"{split}.tsv"))
        rows = {row["_id"]: row for row in _read_jsonl(folder / "queries.jsonl")}
        judged = dict.fromkeys(qrel.query_id for qrel in qrels)
        if not judged:
            raise DatasetError(f"{folder}: qrels/{split}.tsv judges no query")
        if missing := [query for query in judged if query not in rows]:
            raise DatasetError(f"{folder}: {len(missing)} judged queries have no text, the first is {missing[0]!r}")
        corpus = {
            row["_id"]: CorpusDocument(str(row.get("title") or ""), str(row["text"] or ""))
            for row in _read_jsonl(folder / "corpus.jsonl")
        }
        queries = {query: str(rows[query]["text"] or "").strip() for query in judged}
        histories = {query: turns for query in judged if (turns := _history(folder, rows[query]))}
        return cls(folder.resolve().name, split, corpus, queries, histories, qrels)


def _history(folder: Path, row: dict[str, Any]) -> list[Turn]:
    try:
        return [Turn(str(turn["role"]), str(turn["text"])) for turn in row.get("history") or []]
    except (KeyError, TypeError) as error:
        raise DatasetError(f"{folder}: the history of {row['_id']!r} is no list of role and text") from error


def _read_jsonl(file: Path) -> Iterator[dict[str, Any]]:
    """Objects with a string ``_id`` and ``text``."""
    for number, line in enumerate(_lines(file), start=1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DatasetError(f"{file}:{number} is not JSON: {error}") from error
        if not isinstance(row, dict) or "_id" not in row or "text" not in row:
            raise DatasetError(f"{file}:{number} is not an object with '_id' and 'text'")
        yield {**row, "_id": str(row["_id"])}


def _read_qrels(file: Path) -> Iterator[Qrel]:
    for number, row in enumerate(csv.reader(_lines(file), delimiter="\t", quoting=csv.QUOTE_NONE), start=1):
        try:
            query, document, score = row
            yield Qrel(query, document, int(float(score)))
        except ValueError:
            if number == 1:  # the header, which some files lack
                continue
            raise DatasetError(f"{file}:{number} is not query-id, corpus-id, score: {row}") from None


def _lines(file: Path) -> Iterator[str]:
    try:
        with file.open(encoding="utf-8") as stream:
            yield from (line for line in stream if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{file} cannot be read: {error}") from error
