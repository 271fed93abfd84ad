"""Converts the regions of a PDF page to blocks: paragraphs, headings, code and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from retriton_pipeline.documents.joining import joined
from retriton_pipeline.documents.model import Block
from retriton_pipeline.documents.pdf.line import UNMAPPED_BULLET, Line
from retriton_pipeline.documents.pdf.reading_order import in_reading_order
from retriton_pipeline.documents.pdf.regions import Region, page_regions
from retriton_pipeline.documents.pdf.typography import Typography
from retriton_pipeline.documents.tables import table_block

_MONOSPACED_WIDTH = 0.6  # of the characters of most monospaced fonts, in font sizes
_SPACES_MIN = 1.6  # characters; narrower gaps are one space, which may be stretched
_EMPTY_LINES_MAX = 2
_PARAGRAPH_CHARACTERS_MAX = 20_000
_UNMAPPED_BULLET = re.compile(rf"^{UNMAPPED_BULLET}\s*")
_PARAGRAPH_ENDS = tuple(".!?:;。！？…|")


def page_blocks(lines: Sequence[Line], typography: Typography, page: int) -> list[Block]:
    """The blocks of the page with ``lines``, in reading order; paragraphs that continue across columns are joined."""
    blocks: list[Block] = []
    hyphenated = False  # whether the last block ends within a word
    for region in in_reading_order(list(page_regions(lines, typography)), typography.body_size):
        for block in _blocks(region, typography, page):
            if blocks and _continues(blocks[-1], block):
                join = typography.dehyphenated if hyphenated else joined
                blocks[-1] = replace(blocks[-1], text=join(blocks[-1].text, block.text))
            else:
                blocks.append(block)
            hyphenated = region.lines[-1].hyphenated and not region.table
    return blocks


def _blocks(region: Region, typography: Typography, page: int) -> Iterator[Block]:
    if region.table:
        if table := table_block(region.table.grid(), page, header_rows=region.table.header_rows):
            yield table
    elif region.lines[0].monospaced and len(region.lines) > 1:
        yield Block(_code(region).strip("\n"), page=page, verbatim=True)
    else:
        text = _text(region.lines, typography)
        if any(map(str.isalnum, text)):  # otherwise a remnant of a drawing or of a large bracket
            yield Block(text, heading_level=typography.heading_level(region.lines, text), page=page)


def _code(region: Region) -> str:
    """The lines with their spaces, and with the empty lines between them."""
    text = _spaced(region.lines[0], region.left)
    spacing = min(above.bottom - below.bottom for above, below in pairwise(region.lines))
    for above, below in pairwise(region.lines):
        empty = round((above.bottom - below.bottom) / spacing) - 1
        text += "\n" * (1 + min(empty, _EMPTY_LINES_MAX)) + _spaced(below, region.left)
    return text


def _spaced(line: Line, margin: float) -> str:
    """The words, at their columns after wide gaps."""
    text, width, end = "", _MONOSPACED_WIDTH * line.font_size, margin
    for word in line.words:
        column = round((word.left - margin) / width) if word.left - end > _SPACES_MIN * width else 0
        text = f"{text} ".ljust(column) if text else " " * column
        text, end = text + word.text, word.right
    return text


def _text(lines: Sequence[Line], typography: Typography) -> str:
    text, hyphenated, is_entry = "", False, False
    for line in lines:
        hyphenated = hyphenated or (text.endswith("-") and text[-2:-1].isalpha() and line.text[:1].islower())
        if is_entry:
            text = f"{text}\n{line.text}"
        else:
            text = typography.dehyphenated(text.removesuffix("-"), line.text) if hyphenated else joined(text, line.text)
        hyphenated, is_entry = line.hyphenated, line.is_entry
    return _UNMAPPED_BULLET.sub("• ", text.strip())


def _continues(before: Block, after: Block) -> bool:
    """Whether both are one paragraph that is interrupted by the end of a column."""
    return (
        len(before.text) < _PARAGRAPH_CHARACTERS_MAX
        and not (before.heading_level or after.heading_level or before.verbatim or after.verbatim)
        and not before.text.endswith(_PARAGRAPH_ENDS)
        and after.text[:1].islower()
    )
