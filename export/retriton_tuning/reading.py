"""Reads training data: a folder in BEIR's layout, or JSON lines of pairs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from retriton_pipeline.errors import DatasetError
from retriton_pipeline.evaluation import Dataset
from retriton_tuning.errors import InvalidData
from retriton_tuning.labels import Labels, normalized

_PART_OF_SPLIT = {"train": "train", "dev": "validation", "validation": "validation", "valid": "validation"}
_QUERY_KEYS = ("query", "question", "anchor")
_PASSAGE_KEYS = ("passage", "passages", "positive", "positives", "pos", "document", "text", "context")
_NEGATIVE_KEYS = ("negative", "negatives", "neg", "hard_negatives")


def read_labels(data: Path) -> Labels:
    """Reads a folder in BEIR's layout, or a file of JSON lines.

    A folder has ``corpus.jsonl``; without ``queries.jsonl`` it is documents alone, and without ``qrels/`` its queries
    are unlabelled. A line of a file is an object with a query, a passage and optionally negatives, each a text or a
    list of texts, or a list ``[query, passage, negative, ...]``.

    Raises:
        InvalidData: the data is malformed, or there is none.
    """
    if data.is_dir():
        return _read_folder(data)
    if data.is_file():
        return _read_pairs(data)
    raise InvalidData(f"{data} does not exist: name a folder in BEIR's layout, or a file of JSON lines")


def read_queries(file: Path) -> list[str]:
    """Reads a log of queries: one a line, as text or as JSON with ``text`` or ``query``."""
    texts = []
    for line in _lines(file):
        row = _json_or_none(line)
        if isinstance(row, dict):
            row = next((row[key] for key in ("text", *_QUERY_KEYS) if isinstance(row.get(key), str)), None)
            if row is None:
                raise InvalidData(f"{file} has a JSON line without 'text' or 'query': {line[:80]}")
        texts.append(row if isinstance(row, str) else line.strip())
    return texts


def read_corpus(file: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Reads passages and titles by id from JSON lines with ``_id``, ``text`` and optionally ``title``."""
    passages, titles = {}, {}
    for number, row in enumerate(_objects(file), start=1):
        key = str(row.get("_id", row.get("id", number)))
        if not isinstance(row.get("text"), str):
            raise InvalidData(f"{file}: {key!r} has no 'text'")
        titles[key] = str(row.get("title") or "")
        if text := f"{titles[key]} {row['text']}".strip():
            passages[key] = text
    return passages, titles


def _read_folder(folder: Path) -> Labels:
    if not (folder / "corpus.jsonl").is_file():
        raise InvalidData(
            f"{folder} has no corpus.jsonl: name a folder in BEIR's layout, or documents with --documents"
        )
    passages, titles = read_corpus(folder / "corpus.jsonl")
    splits = sorted(file.stem for file in (folder / "qrels").glob("*.tsv"))
    queries: dict[str, str] = {}
    relevant: dict[str, dict[str, int]] = {}
    parts: dict[str, str] = {}
    for split in splits:
        dataset = _read_split(folder, split)
        queries |= dataset.queries
        for qrel in dataset.qrels:
            if qrel.relevance > 0:
                relevant.setdefault(qrel.query_id, {})[qrel.doc_id] = qrel.relevance
                parts.setdefault(qrel.query_id, _PART_OF_SPLIT.get(split, "test"))
    if not {"train", "test"} <= set(parts.values()):
        parts = {}
    every = read_queries(folder / "queries.jsonl") if (folder / "queries.jsonl").is_file() else []
    labels = Labels(folder.resolve().name, passages, titles, queries, relevant, parts=parts)
    return _checked(labels).with_queries(every)


def _read_split(folder: Path, split: str) -> Dataset:
    try:
        return Dataset.read(folder, split)
    except DatasetError as error:
        raise InvalidData(str(error)) from error


def _read_pairs(file: Path) -> Labels:
    ids: dict[str, str] = {}
    queries: dict[str, str] = {}
    relevant: dict[str, dict[str, int]] = {}
    negatives: dict[str, list[str]] = {}

    def key_of(text: str) -> str:
        return ids.setdefault(text.strip(), f"p{len(ids)}")

    query_ids: dict[str, str] = {}
    for number, line in enumerate(_lines(file), start=1):
        query, positive, negative = _pair(_json_or_none(line), f"{file}:{number}")
        key = query_ids.setdefault(normalized(query), f"q{len(query_ids)}")
        queries.setdefault(key, query)
        relevant.setdefault(key, {}).update({key_of(text): 1 for text in positive})
        negatives.setdefault(key, []).extend(map(key_of, negative))
    if not queries:
        raise InvalidData(f"{file} has no pairs")
    passages = {key: text for text, key in ids.items()}
    known = {key: [one for one in listed if one not in relevant[key]] for key, listed in negatives.items() if listed}
    return _checked(Labels(file.stem, passages, {}, queries, relevant, known))


def _pair(row: Any, place: str) -> tuple[str, list[str], list[str]]:
    if isinstance(row, list) and len(row) >= 2:
        row = {"query": row[0], "passage": row[1], "negative": row[2:]}
    if isinstance(row, dict):
        query, positive, negative = (_texts(row, keys) for keys in (_QUERY_KEYS, _PASSAGE_KEYS, _NEGATIVE_KEYS))
        if len(query) == 1 and positive:
            return query[0], positive, negative
    raise InvalidData(
        f'{place} is not {{"query": "...", "passage": "..."}}, optionally with "negative", or ["query", "passage"]'
    )


def _texts(row: dict[str, Any], keys: tuple[str, ...]) -> list[str]:
    found: Any = next((row[key] for key in keys if row.get(key)), [])
    listed = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    return [text.strip() for text in listed if isinstance(text, str) and text.strip()]


def _checked(labels: Labels) -> Labels:
    """Without judgements of passages that do not exist, of empty queries, and queries that then have none."""
    relevant = {}
    for query, grades in labels.relevant.items():
        kept = {passage: grade for passage, grade in grades.items() if passage in labels.passages}
        if kept and labels.queries.get(query, "").strip():
            relevant[query] = kept
    lost = labels.pairs - sum(map(len, relevant.values()))
    queries = {query: labels.queries[query] for query in relevant}
    if labels.relevant and not relevant:
        raise InvalidData(f"{labels.name}: none of the {labels.pairs} judgements refers to a passage and a query")
    dropped = [f"{lost} of {labels.pairs} judgements refer to a passage or query without text"] if lost else []
    parts = {query: part for query, part in labels.parts.items() if query in relevant}
    return Labels(labels.name, labels.passages, labels.titles, queries, relevant, labels.negatives, parts, (), dropped)


def _objects(file: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(_lines(file), start=1):
        row = _json_or_none(line)
        if not isinstance(row, dict):
            raise InvalidData(f"{file}:{number} is not a JSON object")
        yield row


def _lines(file: Path) -> Iterator[str]:
    try:
        with file.open(encoding="utf-8-sig") as stream:
            yield from (line for line in stream if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidData(f"{file} cannot be read: {error}") from error


def _json_or_none(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None
