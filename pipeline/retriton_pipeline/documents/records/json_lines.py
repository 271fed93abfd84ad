"""JSON lines: files of any size, read in ranges of complete lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from retriton_pipeline.documents.model import FilePart
from retriton_pipeline.documents.records.json_values import parse_json
from retriton_pipeline.documents.signatures import detected_format
from retriton_pipeline.errors import UnreadableDocument

PART_BYTES = 4 * 1024**2
LINE_BYTES_MAX = 64 * 1024**2
_UTF8_MARK = b"\xef\xbb\xbf"


def is_json_lines(file: Path) -> bool:
    """Whether ``file`` starts as JSON lines do: not with an array, a pretty-printed object, or another format."""
    try:
        with file.open("rb") as opened:
            head = opened.read(1024).removeprefix(_UTF8_MARK).lstrip()
    except OSError:
        return False
    is_json = bool(head) and not detected_format(head)
    return is_json and not head.startswith(b"[") and head.split(b"\n")[0].strip() != b"{"


def line_parts(file: Path, part_bytes: int = PART_BYTES) -> Iterator[FilePart]:
    """Consecutive ranges of about ``part_bytes`` bytes that end with a line."""
    start = position = 0
    line = 1
    try:
        with file.open("rb") as opened:
            while chunk := opened.read(part_bytes):
                if last := chunk.rfind(b"\n") + 1:
                    yield FilePart(file, start, position + last, line)
                    start, line = position + last, line + chunk.count(b"\n")
                position += len(chunk)
    except OSError:
        pass  # reading the range below reports the reason
    if start < position or not start:
        yield FilePart(file, start, None, line)


def numbered_lines(part: FilePart) -> Iterator[tuple[int, bytes]]:
    """The non-blank lines of ``part`` with their numbers in the file, truncated to `LINE_BYTES_MAX` bytes.

    Raises:
        UnreadableDocument: reading fails.
    """
    try:
        with part.file.open("rb") as opened:
            position, number = opened.seek(part.start), part.first_line
            while (part.end is None or position < part.end) and (line := opened.readline(LINE_BYTES_MAX)):
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
