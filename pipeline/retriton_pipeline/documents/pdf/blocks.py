"""Converts the regions of a PDF page to blocks: paragraphs, headings, code and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from retriton_pipeline.documents.joining import joined
from retriton_pipeline.documents.model import Block
from retriton_pipeline.documents.pdf.line import UNMAPPED_BULLET, Line
from retriton_pipeline.documents.pdf.reading_order import in_reading_order
from retriton_pipeline.documents.pdf.regions import Region, page_regions
from retriton_pipeline.documents.pdf.typography import Typography
from retriton_pipeline.documents.tables import table_block

_MONOSPACED_WIDTH = 0.6  # of the characters of most monospaced fonts, in font sizes
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
        yield Block("\n".join(_indented(line, region.left) for line in region.lines), page=page, verbatim=True)
    else:
        text = _text(region.lines, typography)
        if any(map(str.isalnum, text)):  # otherwise a remnant of a drawing or of a large bracket
            yield Block(text, heading_level=typography.heading_level(region.lines, text), page=page)


def _indented(line: Line, margin: float) -> str:
    return " " * round((line.left - margin) / (_MONOSPACED_WIDTH * line.font_size)) + line.text


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
