"""Loads files as documents, with the reason for each that cannot be read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from retriton_pipeline.documents.files import display_name, read_whole
from retriton_pipeline.documents.model import Document, FilePart, Unreadable
from retriton_pipeline.documents.parser_errors import parser_errors
from retriton_pipeline.documents.records.reader import holds_records, load_records, record_parts
from retriton_pipeline.documents.registry import reader_of
from retriton_pipeline.documents.sanitizing import sanitized_document
from retriton_pipeline.errors import UnreadableDocument


def file_parts(file: Path) -> Iterator[FilePart]:
    """The units in which ``file`` is read: ranges of some megabytes of JSON lines; any other file as a whole."""
    return record_parts(file) if holds_records(file) else iter([FilePart(file)])


def load_documents(part: FilePart) -> Iterator[Document | Unreadable]:
    """The documents of ``part``, in order; an `Unreadable` in place of each that cannot be read."""
    try:
        if part.file.is_dir():
            raise UnreadableDocument("the folder cannot be listed")
        if holds_records(part.file):
            yield from load_records(part)
        else:
            yield _load_whole(part.file)
    except UnreadableDocument as error:
        yield Unreadable(display_name(part.file), str(error))


def load_document(file: Path) -> Document:
    """The only, or the first, document of ``file``.

    Raises:
        UnreadableDocument: it cannot be read.
    """
    document = next(load_documents(FilePart(file)), None)
    if document is None:
        raise UnreadableDocument("it holds no record")
    if isinstance(document, Unreadable):
        raise UnreadableDocument(document.reason)
    return document


def _load_whole(file: Path) -> Document:
    reader = reader_of(file.suffix.lower())
    raw = read_whole(file)
    with parser_errors():
        content = reader.read(raw)
    return sanitized_document(file, content, hashlib.sha256(raw).hexdigest())
