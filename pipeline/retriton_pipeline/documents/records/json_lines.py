"""JSON lines: files of any size, read in ranges of complete lines."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from retriton_pipeline.documents.files import open_file
from retriton_pipeline.documents.model import FilePart, SourceFile
from retriton_pipeline.documents.records.json_values import parse_json
from retriton_pipeline.documents.signatures import detected_format
from retriton_pipeline.errors import UnreadableDocument

PART_BYTES = 4 * 1024**2
PART_LINES_MAX = 16_384  # bounds the number of documents that are in memory at once
LINE_BYTES_MAX = 64 * 1024**2
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")  # line breaks within them are no bytes of their own
_UTF8_MARK = b"\xef\xbb\xbf"
_PART_LINES = re.compile(rb"(?:[^\n]*+\n){%d}" % PART_LINES_MAX)


def is_json_lines(file: Path) -> bool:
    """Whether ``file`` starts as JSON lines do: not with an array, a pretty-printed object, or another format."""
    try:
        with open_file(file) as opened:
            return starts_as_lines(opened.read(1024))
    except (OSError, UnreadableDocument):
        return False


def starts_as_lines(head: bytes) -> bool:
    """Whether a file that begins with ``head`` is JSON lines; see `is_json_lines`."""
    if head.startswith(_UTF16_MARKS):
        return False
    head = head.removeprefix(_UTF8_MARK).lstrip()
    is_json = bool(head) and not detected_format(head)
    return is_json and not head.startswith(b"[") and head.split(b"\n")[0].strip() != b"{"


def line_parts(file: SourceFile, part_bytes: int = PART_BYTES) -> Iterator[FilePart]:
    """Consecutive ranges of at most `PART_LINES_MAX` lines and about ``part_bytes`` bytes that end with a line."""
    start = position = 0
    line = 1
    try:
        with open_file(file.path, file.within) as opened:
            rest = os.fstat(opened.fileno()).st_size  # not more, of a file that grows
            while chunk := opened.read(min(part_bytes, rest)):
                for end, lines in _line_ends(chunk):
                    yield FilePart(file.path, start, position + end, line, file.within)
                    start, line = position + end, line + lines
                position, rest = position + len(chunk), rest - len(chunk)
    except (OSError, UnreadableDocument):
        pass  # reading the range below reports the reason
    if start < position or not start:
        yield FilePart(file.path, start, None, line, file.within)


def _line_ends(chunk: bytes) -> Iterator[tuple[int, int]]:
    """The offsets in ``chunk`` after every `PART_LINES_MAX` lines and after the last line, each with its lines."""
    start = 0
    while match := _PART_LINES.match(chunk, start):
        start = match.end()
        yield start, PART_LINES_MAX
    if (last := chunk.rfind(b"\n") + 1) > start:
        yield last, chunk.count(b"\n", start)


def numbered_lines(part: FilePart) -> Iterator[tuple[int, bytes]]:
    """The non-blank lines of ``part`` with their numbers in the file, truncated to `LINE_BYTES_MAX` bytes.

    Raises:
        UnreadableDocument: reading fails.
    """
    try:
        with open_file(part.file, part.within) as opened:
            end = os.fstat(opened.fileno()).st_size if part.end is None else part.end
            if not end:
                raise UnreadableDocument("it is empty (0 bytes)")
            position, number = opened.seek(part.start), part.first_line
            while position < end and (line := opened.readline(LINE_BYTES_MAX)):
                if stripped := line.strip():
                    yield number, stripped
                while len(line) == LINE_BYTES_MAX and not line.endswith(b"\n"):
                    line = opened.readline(LINE_BYTES_MAX)
                position, number = opened.tell(), number + 1
    except OSError as error:
        raise UnreadableDocument(f"it cannot be read: {error.strerror}") from error


def parse_line(line: bytes) -> object:
    """The JSON value of ``line``.

    Raises:
        UnreadableDocument: it is not JSON, or too long.
    """
    if len(line) >= LINE_BYTES_MAX:
        raise UnreadableDocument(f"its line has {LINE_BYTES_MAX} bytes or more, which is too long for a record")
    return parse_json(line)
