"""JSON lines: files of any size, read in ranges of whole lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from retriton_pipeline.documents.json_records import parse_json
from retriton_pipeline.documents.model import Part
from retriton_pipeline.documents.signatures import kind_of
from retriton_pipeline.errors import UnreadableDocument

_PART_BYTES = 4 * 1024**2
_LINE_BYTES_MAX = 64 * 1024**2
_UTF8_MARK = b"\xef\xbb\xbf"


def is_json_lines(file: Path) -> bool:
    """Whether the content of ``file`` begins as its name says, so not with an array, a pretty-printed object, a PDF."""
    try:
        with file.open("rb") as opened:
            head = opened.read(1024).removeprefix(_UTF8_MARK).lstrip()
    except OSError:
        return False
    return bool(head) and not kind_of(head) and not head.startswith(b"[") and head.split(b"\n")[0].strip() != b"{"


def line_parts(file: Path) -> Iterator[Part]:
    """Ranges of some megabytes that end with a line."""
    start = position = 0
    line = 1
    try:
        with file.open("rb") as opened:
            while chunk := opened.read(_PART_BYTES):
                if last := chunk.rfind(b"\n") + 1:
                    yield Part(file, start, position + last, line)
                    start, line = position + last, line + chunk.count(b"\n")
                position += len(chunk)
    except OSError:
        pass  # whoever reads the range below will say why
    if start < position or not start:
        yield Part(file, start, None, line)


def numbered_lines(part: Part) -> Iterator[tuple[int, bytes]]:
    """The lines of ``part`` with their numbers in the file, blank ones left out; what is too long is cut.

    Raises:
        UnreadableDocument: it cannot be read any further.
    """
    try:
        with part.file.open("rb") as opened:
            position, number = opened.seek(part.start), part.first_line
            while (part.end is None or position < part.end) and (line := opened.readline(_LINE_BYTES_MAX)):
                if stripped := line.strip():
                    yield number, stripped
                while len(line) == _LINE_BYTES_MAX and not line.endswith(b"\n"):
                    line = opened.readline(_LINE_BYTES_MAX)
                position, number = opened.tell(), number + 1
    except OSError as error:
        raise UnreadableDocument(f"it cannot be read: {error.strerror}") from error


def parse_line(line: bytes) -> object:
    """The value that ``line`` is the JSON of.

    Raises:
        UnreadableDocument: it is not JSON, or too long.
    """
    if len(line) >= _LINE_BYTES_MAX:
        raise UnreadableDocument(f"its line has {_LINE_BYTES_MAX} bytes or more: it is no record")
    return parse_json(line)
