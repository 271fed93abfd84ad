"""A document as a list of blocks: what every format is read into."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """A piece of a document that stands by itself.

    Attributes:
        text: the content, without surrounding white space.
        heading_level: 1 for the highest heading, 0 for what is no heading.
        page: the page it starts on, from 1; None where there are no pages.
        verbatim: whether its line breaks matter (tables, code).
    """

    text: str
    heading_level: int = 0
    page: int | None = None
    verbatim: bool = False


@dataclass(frozen=True)
class Document:
    """One file, read.

    Attributes:
        source: the path or address it came from; it identifies the document.
        title: for people and for context.
        blocks: the content in reading order.
        sha256: of the file's bytes.
    """

    source: str
    title: str
    blocks: tuple[Block, ...]
    sha256: str
