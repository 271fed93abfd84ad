"""Reads files by their kind, and says of each that it cannot read why."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from retriton_pipeline.documents.delimited import read_csv, read_tsv
from retriton_pipeline.documents.docx import read_docx
from retriton_pipeline.documents.epub import read_epub
from retriton_pipeline.documents.files import display_name, read_whole
from retriton_pipeline.documents.html import read_html
from retriton_pipeline.documents.json_lines import is_json_lines, line_parts, numbered_lines, parse_line
from retriton_pipeline.documents.json_records import array_records, object_content, read_record
from retriton_pipeline.documents.mail import read_mail
from retriton_pipeline.documents.markdown import read_markdown
from retriton_pipeline.documents.model import Content, Document, Part, Unreadable
from retriton_pipeline.documents.odt import read_odt
from retriton_pipeline.documents.pdf import read_pdf
from retriton_pipeline.documents.plain_text import decode, read_text
from retriton_pipeline.documents.pptx import read_pptx
from retriton_pipeline.documents.rtf import read_rtf
from retriton_pipeline.documents.storable import storable, storable_block, storable_metadata
from retriton_pipeline.documents.xlsx import read_xlsx
from retriton_pipeline.errors import UnreadableDocument

_Raw = TypeVar("_Raw")
_Read = TypeVar("_Read")
_READERS: dict[str, Callable[[bytes], Content]] = {
    ".txt": read_text,
    ".text": read_text,
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".html": read_html,
    ".htm": read_html,
    ".xhtml": read_html,
    ".pdf": read_pdf,
    ".docx": read_docx,
    ".pptx": read_pptx,
    ".xlsx": read_xlsx,
    ".xlsm": read_xlsx,
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".eml": read_mail,
    ".odt": read_odt,
    ".epub": read_epub,
    ".rtf": read_rtf,
}
_LINES = (".jsonl", ".ndjson")
_RECORDS = (*_LINES, ".json")
SUFFIXES = (*_READERS, *_RECORDS)
_NEWER = {".doc": ".docx", ".dot": ".docx", ".xls": ".xlsx", ".xlsb": ".xlsx", ".ppt": ".pptx", ".pps": ".pptx"}
_TITLE_CHARACTERS_MAX = 500


def holds_records(file: Path) -> bool:
    """Whether ``file`` may hold many documents, so that only reading it tells which."""
    return file.suffix.lower() in _RECORDS


def file_parts(file: Path) -> Iterator[Part]:
    """What of ``file`` is read at once: JSON lines in ranges of some megabytes, any other file as one."""
    if file.suffix.lower() in _LINES and is_json_lines(file):
        yield from line_parts(file)
    else:
        yield Part(file)


def load_documents(part: Part) -> Iterator[Document | Unreadable]:
    """The documents of ``part``; in the place of one that cannot be read, why."""
    suffix = part.file.suffix.lower()
    try:
        if part.file.is_dir():
            raise UnreadableDocument("the folder cannot be listed")
        if suffix in _LINES and is_json_lines(part.file):
            yield from _line_documents(part)
        elif holds_records(part.file):
            yield from _json_documents(part.file)
        else:
            yield _file_document(part.file)
    except UnreadableDocument as error:
        yield Unreadable(display_name(part.file), str(error))


def load_document(file: Path) -> Document:
    """The one document that ``file`` is.

    Raises:
        UnreadableDocument: with the reason.
    """
    document = next(load_documents(Part(file)), None)
    if document is None:
        raise UnreadableDocument("it holds no record")
    if isinstance(document, Unreadable):
        raise UnreadableDocument(document.reason)
    return document


def _file_document(file: Path) -> Document:
    suffix = file.suffix.lower()
    reader = _READERS.get(suffix)
    if reader is None:
        way_out = f"save it as {_NEWER[suffix]}" if suffix in _NEWER else f"only {' '.join(SUFFIXES)} are"
        raise UnreadableDocument(f"files of type {suffix or '(none)'} are not supported: {way_out}")
    raw = read_whole(file)
    return _document(file, _parsed(reader, raw), hashlib.sha256(raw).hexdigest())


def _json_documents(file: Path) -> Iterator[Document | Unreadable]:
    raw = read_whole(file)
    value = array_records(decode(raw))
    if isinstance(value, dict):
        yield _document(file, object_content(value), hashlib.sha256(raw).hexdigest())
        return
    if not value:
        raise UnreadableDocument("its array is empty")
    for number, item in enumerate(value, 1):
        yield _record_document(file, number, lambda item=item: item)  # type: ignore[misc]


def _line_documents(part: Part) -> Iterator[Document | Unreadable]:
    for number, line in numbered_lines(part):
        yield _record_document(part.file, number, lambda line=line: parse_line(line))  # type: ignore[misc]


def _record_document(file: Path, number: int, parse: Callable[[], object]) -> Document | Unreadable:
    try:
        record = _parsed(lambda number: read_record(parse(), number), number)
        return _document(file, record.content, record.sha256, record.name)
    except UnreadableDocument as error:
        return Unreadable(f"{display_name(file)}#{number}", str(error))


def _parsed(reader: Callable[[_Raw], _Read], raw: _Raw) -> _Read:
    try:
        return reader(raw)
    except UnreadableDocument:
        raise
    except RecursionError as error:
        raise UnreadableDocument("it is nested too deeply to be read") from error
    except (zipfile.BadZipFile, zlib.error) as error:
        raise UnreadableDocument(f"a part of it is damaged: {error}") from error
    except Exception as error:  # of a library, about a file that it was not made for
        raise UnreadableDocument(f"its parser failed: {type(error).__name__}: {error}") from error


def _document(file: Path, content: Content, sha256: str, record: str = "") -> Document:
    if not content.blocks:
        raise UnreadableDocument("it has no text")
    name = display_name(file)
    record = storable(record)
    return Document(
        source=f"{name}#{record}" if record else name,
        title=storable(content.title)[:_TITLE_CHARACTERS_MAX] or Path(name).stem,
        blocks=tuple(map(storable_block, content.blocks)),
        sha256=sha256,
        record=record,
        metadata=storable_metadata(content.metadata),
    )
