"""Mailboxes (.mbox): files of any size, read in ranges of complete messages.

`mailbox.mbox` needs the whole file before it returns the first message.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from retriton_pipeline.documents.containers.members import Member
from retriton_pipeline.documents.containers.suffixes import MAILBOX_SUFFIXES
from retriton_pipeline.documents.files import open_file, read_range
from retriton_pipeline.documents.model import FilePart, SourceFile
from retriton_pipeline.errors import UnreadableDocument

_PART_BYTES = 4 * 1024**2
_MESSAGE_BYTES_MAX = 64 * 1024**2  # with its attachments
_START = re.compile(rb"^From [^\n]*\n", re.MULTILINE)  # the line before each message
_QUOTED_START = re.compile(rb"^>(>*From )", re.MULTILINE)


def is_mailbox(file: Path) -> bool:
    """Whether ``file`` is a mailbox, by its name."""
    return file.suffix.lower() in MAILBOX_SUFFIXES


def mailbox_parts(file: SourceFile, part_bytes: int = _PART_BYTES) -> Iterator[FilePart]:
    """Consecutive ranges of complete messages of about ``part_bytes`` bytes."""
    start = position = lines = 0
    try:
        with open_file(file.path, file.within) as opened:
            rest = os.fstat(opened.fileno()).st_size
            tail = b""
            while chunk := opened.read(min(part_bytes, rest)):
                rest -= len(chunk)
                buffer = tail + chunk
                cut = buffer.rfind(b"\n\nFrom ")
                if cut >= 0 and (end := position + cut + 2) > start:
                    yield FilePart(file.path, start, end, lines + 1, file.within)
                    lines += buffer.count(b"\n", 0, cut + 2)
                    start, tail = end, buffer[cut + 2 :]
                    position = end
                elif len(buffer) > _MESSAGE_BYTES_MAX:
                    yield FilePart(file.path, start, position + len(buffer), lines + 1, file.within)
                    lines += buffer.count(b"\n")
                    start = position = position + len(buffer)
                    tail = b""
                else:
                    tail = buffer
    except (OSError, UnreadableDocument):
        pass  # reading the range below reports the reason
    yield FilePart(file.path, start, None, lines + 1, file.within)


def part_messages(part: FilePart) -> Iterator[Member]:
    """The messages of ``part``, named by the number of their line in the file.

    Raises:
        UnreadableDocument: the file cannot be read, or is no mailbox.
    """
    raw = read_range(part).replace(b"\r\n", b"\n")
    starts = [match for match in _START.finditer(raw) if _follows_blank_line(raw, match.start())]
    if not starts and raw.strip():
        raise UnreadableDocument("it is not a mailbox: it has no line that begins with 'From '")
    line, counted = part.first_line, 0
    for start, following in zip(starts, [*starts[1:], None], strict=True):
        line += raw.count(b"\n", counted, start.start())
        counted = start.start()
        message = raw[start.end() : following.start() if following else len(raw)]
        yield Member(f"line-{line}", _QUOTED_START.sub(rb"\1", message))


def _follows_blank_line(raw: bytes, start: int) -> bool:
    return not start or raw[start - 2 : start] == b"\n\n"
