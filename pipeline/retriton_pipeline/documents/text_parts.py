"""Ranges of plain texts and delimited tables, so that the memory of reading does not depend on the size of the file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

from retriton_pipeline.documents.files import open_file
from retriton_pipeline.documents.model import FilePart, SourceFile
from retriton_pipeline.documents.records.delimited_layout import likely_delimiter, preamble_rows
from retriton_pipeline.errors import UnreadableDocument

PART_BYTES = 4 * 1024**2
_TEXTS = (".txt", ".text", ".log")
_TABLES = (".csv", ".tsv")
_LINES_TRIED_MAX = 1_000  # for the end of a row
_LINE_BYTES_MAX = 64 * 1024**2
_HEAD_BYTES = 64 * 1024
_STATED_DELIMITER = b"sep="  # Excel's first line


def text_parts(file: SourceFile, part_bytes: int = PART_BYTES) -> Iterator[FilePart]:
    """Consecutive ranges of complete lines, or of complete rows of a table, of about ``part_bytes`` bytes.

    Each part of a table has the first row as its head. Other formats, files in UTF-16 or UTF-32, and small files are
    one part.
    """
    suffix = file.path.suffix.lower()
    start, line, head = 0, 1, 0
    try:
        if suffix in (*_TEXTS, *_TABLES):
            with open_file(file.path, file.within) as opened:
                head = _head_bytes(opened) if suffix in _TABLES else 0
                for size, lines in _ranges(opened, part_bytes, suffix in _TABLES):
                    yield FilePart(file.path, start, start + size, line, file.within, head=head)
                    start, line = start + size, line + lines
    except (OSError, UnreadableDocument):
        pass  # reading the range below reports the reason
    yield FilePart(file.path, start, None, line, file.within, head=head)


def _head_bytes(opened: BinaryIO) -> int:
    """The size of the row with the names of the columns, and of the lines above it."""
    sample = opened.read(_HEAD_BYTES)
    start = sample.find(b"\n") + 1 if sample[:8].lower().lstrip(b'\xef\xbb\xbf"').startswith(_STATED_DELIMITER) else 0
    text = sample[start:].decode("latin-1")
    above = preamble_rows(text, likely_delimiter(text))
    for _ in range(above):
        start = sample.find(b"\n", start) + 1
    end = sample.find(b"\n", start) + 1
    for _ in range(_LINES_TRIED_MAX):
        if not end or not sample.count(b'"', start, end) % 2:
            break
        end = sample.find(b"\n", end) + 1
    return end


def _ranges(opened: BinaryIO, part_bytes: int, has_rows: bool) -> Iterator[tuple[int, int]]:
    """The sizes of all ranges but the last, and the numbers of their lines."""
    rest = os.fstat(opened.fileno()).st_size
    position = opened.seek(0)
    if b"\0" in opened.read(1024):
        return
    while rest > part_bytes:
        opened.seek(position)
        chunk = opened.read(part_bytes)
        size = _complete_rows(chunk) if has_rows else chunk.rfind(b"\n") + 1
        if not size:  # a line that is longer than a part
            chunk += opened.readline(_LINE_BYTES_MAX)
            size = len(chunk)
        yield size, chunk.count(b"\n", 0, size)
        position, rest = position + size, rest - size


def _complete_rows(chunk: bytes) -> int:
    """The size of the rows that end in ``chunk``: at line breaks after an even number of quotation marks."""
    last = end = chunk.rfind(b"\n") + 1
    quotes = chunk.count(b'"', 0, end)
    for _ in range(_LINES_TRIED_MAX):
        if not quotes % 2 or not end:
            break
        before = chunk.rfind(b"\n", 0, end - 1) + 1
        quotes -= chunk.count(b'"', before, end)
        end = before
    return end or last
