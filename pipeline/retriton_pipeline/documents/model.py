"""A document as a list of blocks: what every format is read into."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

Scalar = str | int | float | bool


@dataclass(frozen=True)
class Block:
    """A piece of a document that stands by itself.

    Attributes:
        text: the content, without surrounding white space.
        heading_level: 1 for the highest heading, 0 for what is no heading.
        page: the page it starts on, from 1; None where there are no pages.
        verbatim: whether its line breaks matter (tables, code).
        header: of a table, the first lines of its text, which are repeated where it is cut; empty for anything else.
    """

    text: str
    heading_level: int = 0
    page: int | None = None
    verbatim: bool = False
    header: str = ""


@dataclass(frozen=True)
class Content:
    """What a reader finds in a file.

    Attributes:
        title: its own title; empty where it has none.
        blocks: the content in reading order.
        metadata: what is known about it besides.
    """

    title: str
    blocks: list[Block]
    metadata: dict[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True)
class Document:
    """A file, or one record of a file that holds many.

    Attributes:
        source: the path or address it came from, with ``#record`` if it is one of many; it identifies the document.
        title: for people and for context.
        blocks: the content in reading order.
        sha256: of the file's bytes, or of the record's canonical JSON.
        record: the record's identifier inside its file; empty if the file is one document.
        metadata: what filters may use: author, date, the fields of a record besides its text.
    """

    source: str
    title: str
    blocks: tuple[Block, ...]
    sha256: str
    record: str = ""
    metadata: dict[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """What is read at once: a file, or a range of whole lines of one.

    Attributes:
        file: its path.
        start: the first byte.
        end: the byte after the last; None to the end of the file.
        first_line: the number of its first line in the file, from 1.
    """

    file: Path
    start: int = 0
    end: int | None = None
    first_line: int = 1


@dataclass(frozen=True)
class Unreadable:
    """A file or a record without usable text.

    Attributes:
        source: as a document's.
        reason: as the end of a sentence that begins with the source.
    """

    source: str
    reason: str
