"""Splits a document into segments: the sentences, rows and lines that chunks are assembled from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from retriton_pipeline.chunking.splitting import split_text
from retriton_pipeline.chunking.tables import is_labelled_short, labelled_rows, names_line
from retriton_pipeline.documents import Block, Document
from retriton_pipeline.tokens import TokenCounter

CONTEXT_TOKENS_MAX = 32
_NAME_CHARACTERS_MAX = 2048  # more than fit into the context
_LINE_BREAK_TOKENS = 2  # reserved for the line break after the context
_Headings = list[tuple[int, str]]  # level and text of a heading and those above it


@dataclass(frozen=True)
class Segment:
    """A text that is never split further.

    Attributes:
        text: with the white space that separates it from the previous segment at its start.
        tokens: of the text.
        page: as in `Chunk`.
        context: as in `Chunk`.
        is_heading: whether it belongs to a heading.
        table_header: of the table that it is a row of; precedes it where it starts a chunk. Otherwise empty.
        table_header_tokens: of the table header.
    """

    text: str
    tokens: int
    page: int | None
    context: str
    is_heading: bool
    table_header: str = ""
    table_header_tokens: int = 0


def document_segments(document: Document, counter: TokenCounter, tokens_max: int) -> Iterator[Segment]:
    """The segments of ``document``, in order, of at most ``tokens_max`` tokens each."""
    headings: _Headings = []
    context = _context(document.title, headings, counter)
    for block in document.blocks:
        if block.heading_level:
            headings = [heading for heading in headings if heading[0] < block.heading_level]
            context = _context(document.title, headings, counter)
        yield from _block_segments(block, context, counter, tokens_max)
        if block.heading_level:
            headings.append((block.heading_level, block.text))
            context = _context(document.title, headings, counter)


def _block_segments(block: Block, context: str, counter: TokenCounter, tokens_max: int) -> Iterator[Segment]:
    header, text = _table_parts(block, counter, tokens_max)
    header_tokens = counter.count(header) if header else 0
    is_heading = block.heading_level > 0
    parts = split_text(text, block.verbatim, counter, tokens_max - header_tokens)
    for number, part in enumerate(parts):
        tokens = counter.count(part)
        if number:
            yield Segment(part, tokens, block.page, context, is_heading, header, header_tokens)
        else:  # the first row includes the header
            yield Segment(f"\n\n{header}{part}", tokens + header_tokens, block.page, context, is_heading)


def _table_parts(block: Block, counter: TokenCounter, tokens_max: int) -> tuple[str, str]:
    """The header that each chunk of a table repeats, in a form that leaves room for rows, and the rows."""
    header = f"{block.header}\n"
    if not block.header or not block.text.startswith(header):
        return "", block.text
    rows = block.text.removeprefix(header)
    for form in (header, names_line(header)):
        if counter.fits(form, tokens_max // 2):
            return form, rows
    if not is_labelled_short(header, rows):
        return "", block.text
    return "", "".join(labelled_rows(header, rows, lambda line: counter.fits(line, tokens_max)))


def _context(title: str, headings: _Headings, counter: TokenCounter) -> str:
    names = list(dict.fromkeys([title, *(text for _, text in headings)]))
    line = " > ".join(" ".join(name[:_NAME_CHARACTERS_MAX].split()) for name in names if name)
    return next(counter.split(line, CONTEXT_TOKENS_MAX - _LINE_BREAK_TOKENS), "")
