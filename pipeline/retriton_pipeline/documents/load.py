"""Loads files as documents, with the reason for each that cannot be read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from retriton_pipeline.documents.completeness import with_missing_text
from retriton_pipeline.documents.containers.reader import container_parts, holds_files, load_members
from retriton_pipeline.documents.files import display_name, read_range, require_regular, without_controls
from retriton_pipeline.documents.model import Document, FilePart, SourceFile, Unreadable
from retriton_pipeline.documents.parser_errors import parser_errors
from retriton_pipeline.documents.records.reader import has_records, load_records, record_parts
from retriton_pipeline.documents.registry import reader_of
from retriton_pipeline.documents.sanitizing import sanitized_document
from retriton_pipeline.documents.text_parts import text_parts
from retriton_pipeline.errors import UnreadableDocument

_NAMED_MAX = 100  # parts of a file that are reported one by one


def file_parts(file: SourceFile) -> Iterator[FilePart]:
    """The units in which ``file`` is read.

    JSON lines, mailboxes, tables and plain texts are read in ranges of some megabytes, any other file as a whole.
    """
    if holds_files(file.path):
        return container_parts(file)
    return record_parts(file) if has_records(file.path) else text_parts(file)


def holds_records(file: Path) -> bool:
    """Whether ``file`` may hold several documents, which are only known after reading it."""
    return has_records(file) or holds_files(file)


def load_documents(part: FilePart) -> Iterator[Document | Unreadable]:
    """The documents of ``part``, in order; an `Unreadable` in place of each that cannot be read.

    After a document, there is an `Unreadable` for each part of it that cannot be read.
    """
    try:
        require_regular(part.file)
        if holds_files(part.file):
            yield from load_members(part, reader_of)
        elif has_records(part.file):
            yield from load_records(part)
        else:
            yield from _load_whole(part)
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


def _load_whole(part: FilePart) -> Iterator[Document | Unreadable]:
    """The document, and the parts of it that cannot be read."""
    reader = reader_of(part.file.suffix.lower())
    raw = read_range(part)
    with parser_errors():
        content = with_missing_text(reader.read(raw))
    sha256 = hashlib.sha256(raw)
    sha256.update("".join(content.unreadable_parts).encode("utf-8", "replace"))  # another run reads and reports them
    yield sanitized_document(part.file, content, sha256.hexdigest(), part.record)
    for name, reason in islice(content.unreadable_parts.items(), _NAMED_MAX):
        yield Unreadable(f"{display_name(part.file)}#{without_controls(name)}", reason)
    if (more := len(content.unreadable_parts) - _NAMED_MAX) > 0:
        yield Unreadable(display_name(part.file), f"{more} more of its parts cannot be read")
