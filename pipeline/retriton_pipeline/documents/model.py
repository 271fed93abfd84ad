"""The document model: every format is read into a list of blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

Scalar = str | int | float | bool


@dataclass(frozen=True)
class Block:
    """A structural element of a document: a heading, a paragraph, a list, a table or code.

    Attributes:
        text: the content, without leading and trailing white space.
        heading_level: 1 for the highest heading; 0 if the block is not a heading.
        page: the page on which it starts, from 1; None if the format has no pages.
        verbatim: whether line breaks are significant (tables, code).
        header: of a table, the first lines of its text, which are repeated in every chunk of it; empty otherwise.
    """

    text: str
    heading_level: int = 0
    page: int | None = None
    verbatim: bool = False
    header: str = ""


@dataclass(frozen=True)
class Content:
    """What a reader extracts from a file.

    Attributes:
        title: the title that the file itself states; empty if it states none.
        blocks: the content in reading order.
        metadata: further properties, such as author and date.
        unreadable_parts: the names of parts of the file that could not be read, with the reasons.
        visible_characters: the number of characters, besides white space, that the format shows, counted before the
            blocks are made; 0 if it is not counted.
    """

    title: str
    blocks: list[Block]
    metadata: dict[str, Scalar] = field(default_factory=dict)
    unreadable_parts: dict[str, str] = field(default_factory=dict)
    visible_characters: int = 0


@dataclass(frozen=True)
class Document:
    """A file, or one record of a file that holds many.

    Attributes:
        source: the path, followed by ``#record`` for a record; identifies the document.
        title: the title that is shown and embedded as context.
        blocks: the content in reading order.
        sha256: of the file's bytes and the names of its unreadable parts, or of the record's canonical JSON.
        record: the record's identifier within its file; empty if the file is one document.
        metadata: values for filters: author, date, and the fields of a record other than its text.
    """

    source: str
    title: str
    blocks: tuple[Block, ...]
    sha256: str
    record: str = ""
    metadata: dict[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True)
class SourceFile:
    """A file to read.

    Attributes:
        path: its path.
        within: the folder that it must be in after all links are resolved; None for anywhere.
        url: for a local copy of a remote file, the URL that identifies it; empty otherwise.
    """

    path: Path
    within: Path | None = None
    url: str = ""


@dataclass(frozen=True)
class FilePart:
    """The unit of reading: a whole file, or a range of complete lines of one.

    Attributes:
        file: its path.
        start: offset of the first byte.
        end: offset after the last byte; None for the end of the file.
        first_line: line number of the first line, from 1.
        within, url: as in `SourceFile`.
        metadata: values for filters of its documents, which have precedence over those that the file itself states.
        head: offset after the lines at the start of the file that belong to each part: the names of columns.
    """

    file: Path
    start: int = 0
    end: int | None = None
    first_line: int = 1
    within: Path | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    head: int = 0
    url: str = ""

    @property
    def record(self) -> str:
        """The name of a part of a long text or table within its file; empty for the first part."""
        return f"line-{self.first_line}" if self.start else ""


@dataclass(frozen=True)
class Unreadable:
    """A file, a record or a part of a file from which no text can be read.

    Attributes:
        source: as in `Document`.
        reason: why, as the rest of a sentence that begins with the source.
    """

    source: str
    reason: str
