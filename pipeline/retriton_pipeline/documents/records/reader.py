"""Reads files that hold many records, each of which is a document: JSON and JSON lines."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from retriton_pipeline.documents.files import display_name, read_whole, without_controls
from retriton_pipeline.documents.model import Document, FilePart, SourceFile, Unreadable
from retriton_pipeline.documents.parser_errors import parser_errors
from retriton_pipeline.documents.records.json_lines import (
    is_json_lines,
    line_parts,
    numbered_lines,
    parse_line,
    starts_as_lines,
)
from retriton_pipeline.documents.records.json_objects import object_content, read_record, rows_content
from retriton_pipeline.documents.records.json_values import parse_json_file
from retriton_pipeline.documents.sanitizing import sanitized_document
from retriton_pipeline.documents.text.encoding import decode
from retriton_pipeline.errors import UnreadableDocument

_RECORDS_MAX = 200_000  # that are in memory at once
_NAMED_MAX = 100  # unreadable records of a part that are reported one by one
_LINE_SUFFIXES = (".jsonl", ".ndjson")
RECORD_SUFFIXES = (*_LINE_SUFFIXES, ".json")
_Value = TypeVar("_Value")


def has_records(file: Path) -> bool:
    """Whether ``file`` is JSON or JSON lines, by its name."""
    return file.suffix.lower() in RECORD_SUFFIXES


def record_parts(file: SourceFile) -> Iterator[FilePart]:
    """The units in which ``file`` is read: ranges of JSON lines, or the whole file."""
    return line_parts(file) if _has_lines(file.path) else iter([FilePart(file.path, within=file.within)])


def load_records(part: FilePart) -> Iterator[Document | Unreadable]:
    """The records of ``part``, in order; an `Unreadable` in place of each that cannot be read.

    Raises:
        UnreadableDocument: the file cannot be read.
    """
    if _has_lines(part.file):
        lines = ((f"line-{number}", line) for number, line in numbered_lines(part))
        yield from _documents(part.file, lines, parse_line)
    else:
        yield from _load_json(part.file, read_whole(part.file, part.within))


def member_records(file: Path, member: str, raw: bytes) -> Iterator[Document | Unreadable]:
    """The records of a file in an archive, in order; an `Unreadable` in place of each that cannot be read.

    Args:
        file: the archive.
        member: the name of the file in it, with which the names of the records begin.
        raw: the bytes of the file in it.

    Raises:
        UnreadableDocument: they cannot be read.
    """
    if Path(member).suffix.lower() in _LINE_SUFFIXES and starts_as_lines(raw[:1024]):
        lines = ((f"line-{number}", line.strip()) for number, line in enumerate(raw.split(b"\n"), 1) if line.strip())
        yield from _documents(file, lines, parse_line, f"{member}#")
    else:
        yield from _load_json(file, raw, member)


def _load_json(file: Path, raw: bytes, member: str = "") -> Iterator[Document | Unreadable]:
    """The records of a JSON file, or its only document."""
    with parser_errors():
        value = parse_json_file(decode(raw))
    with parser_errors():
        content = object_content(value) if isinstance(value, dict) else rows_content(value)
    if content:
        if member and not content.title:
            content = replace(content, title=Path(member).stem)
        yield sanitized_document(file, content, hashlib.sha256(raw).hexdigest(), member)
    elif len(value) > _RECORDS_MAX:
        raise UnreadableDocument(f"it has {len(value)} records, more than {_RECORDS_MAX}: save it as JSON lines")
    elif value:
        items = ((f"record-{number}", item) for number, item in enumerate(value, 1))
        yield from _documents(file, items, lambda item: item, f"{member}#" if member else "")
    else:
        raise UnreadableDocument("its array is empty")


def _has_lines(file: Path) -> bool:
    return file.suffix.lower() in _LINE_SUFFIXES and is_json_lines(file)


def _documents(
    file: Path, values: Iterable[tuple[str, _Value]], parse: Callable[[_Value], object], prefix: str = ""
) -> Iterator[Document | Unreadable]:
    unreadable = 0
    for place, value in values:
        document = _document(file, place, value, parse, prefix)
        unreadable += isinstance(document, Unreadable)
        if isinstance(document, Document) or unreadable <= _NAMED_MAX:
            yield document
    if unreadable > _NAMED_MAX:
        yield Unreadable(display_name(file), f"{unreadable - _NAMED_MAX} more of its records cannot be read")


def _document(
    file: Path, place: str, value: _Value, parse: Callable[[_Value], object], prefix: str
) -> Document | Unreadable:
    try:
        with parser_errors():
            record = read_record(parse(value), place)
        return sanitized_document(file, record.content, record.sha256, prefix + record.name)
    except UnreadableDocument as error:
        return Unreadable(f"{display_name(file)}#{without_controls(prefix)}{place}", str(error))
