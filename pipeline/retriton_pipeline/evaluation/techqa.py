"""TechQA's original files to the layout of BEIR.

Source: Castelli et al., The TechQA Dataset (ACL 2020). Technotes are one JSON object, from document id to document;
questions are a list of records in ``*_Q_A.json``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ijson

from retriton_pipeline.errors import DatasetError


@dataclass(frozen=True)
class Converted:
    """How much was written; ``missing`` are judged documents that the technotes do not have."""

    documents: int
    answerable: int
    unanswerable: int
    missing: list[str]


def convert(technotes: Path, questions: Iterable[Path], target: Path, split: str = "test") -> Converted:
    """Writes ``corpus.jsonl``, ``queries.jsonl``, ``queries_unanswerable.jsonl`` and ``qrels/<split>.tsv``.

    A query is a question's title and text; its document is the one with the answer. The corpus is streamed.

    Raises:
        DatasetError: a file is not in TechQA's format, or ``target`` has a dataset already.
    """
    if (target / "corpus.jsonl").exists():
        raise DatasetError(f"{target} has a corpus.jsonl already: name another folder")
    records = [record for file in questions for record in _questions(file)]
    answerable = [record for record in records if _answerable(record)]
    unanswerable = [record for record in records if not _answerable(record)]
    (target / "qrels").mkdir(parents=True, exist_ok=True)
    known: set[str] = set()

    def documents() -> Iterator[dict[str, Any]]:
        for key, document in _technotes(technotes):
            known.add(key)
            yield {"_id": key, "title": document.get("title") or "", "text": document.get("text") or ""}

    unfinished = target / "corpus.jsonl.unfinished"
    _write(unfinished, documents())
    if not known:
        raise DatasetError(f"{technotes} has no technotes: they are one JSON object, by document id")
    _write(target / "queries.jsonl", map(_query, answerable))
    _write(target / "queries_unanswerable.jsonl", map(_query, unanswerable))
    with (target / "qrels" / f"{split}.tsv").open("w", encoding="utf-8") as qrels:
        qrels.write("query-id\tcorpus-id\tscore\n")
        qrels.writelines(f"{record['QUESTION_ID']}\t{record['DOCUMENT']}\t1\n" for record in answerable)
    unfinished.rename(target / "corpus.jsonl")
    missing = sorted({record["DOCUMENT"] for record in answerable} - known)
    return Converted(len(known), len(answerable), len(unanswerable), missing)


def _technotes(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        with file.open("rb") as stream:
            for key, document in ijson.kvitems(stream, ""):
                if not isinstance(document, dict):
                    raise DatasetError(f"{file}: {key!r} is not a document")
                yield str(document.get("_id") or key), document
    except (OSError, ijson.JSONError) as error:
        raise DatasetError(f"{file} is not TechQA's technotes, one JSON object by document id: {error}") from error


def _questions(file: Path) -> list[dict[str, Any]]:
    try:
        records = json.loads(file.read_text(encoding="utf-8"))
        for record in records:
            _ = record["QUESTION_ID"], record["QUESTION_TEXT"], record["DOCUMENT"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{file} is not a list of TechQA's questions: {type(error).__name__} {error}") from error
    return list(records)


def _answerable(record: dict[str, Any]) -> bool:
    return record.get("ANSWERABLE", "Y") == "Y" and record["DOCUMENT"] not in ("", "-", None)


def _query(record: dict[str, Any]) -> dict[str, Any]:
    text = f"{record.get('QUESTION_TITLE') or ''}\n{record['QUESTION_TEXT']}".strip()
    return {"_id": record["QUESTION_ID"], "text": text, "metadata": {"answer": record.get("ANSWER", "")}}


def _write(file: Path, rows: Iterable[dict[str, Any]]) -> None:
    with file.open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
