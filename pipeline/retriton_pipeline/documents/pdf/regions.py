"""Segments a PDF page into regions: paragraphs and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from retriton_pipeline.documents.pdf.columns import in_rows
from retriton_pipeline.documents.pdf.line import BULLET, Line
from retriton_pipeline.documents.pdf.table import Table
from retriton_pipeline.documents.pdf.table_detection import detect_tables
from retriton_pipeline.documents.pdf.typography import Typography

_PARAGRAPH_SPACING = 1.25  # in line spacings: a larger distance starts a paragraph
_LINES_MAX = 500  # of a paragraph
_UNRELATED_GAP = 4.0  # in font sizes: parts of a line with a wider gap in between are unrelated
_LIST_ITEM = re.compile(rf"{BULLET}|[–\-*] |\(?(?:\d{{1,2}}|[a-z])[.)] ")


@dataclass(frozen=True)
class Region:
    """A paragraph or a table, with its bounding box in points from the lower left corner of the page.

    Attributes:
        lines: from top to bottom.
        table: the table; None for a paragraph.
    """

    lines: tuple[Line, ...]
    table: Table | None = None

    @cached_property
    def left(self) -> float:
        """The left edge."""
        return min(line.left for line in self.lines)

    @cached_property
    def right(self) -> float:
        """The right edge."""
        return max(line.right for line in self.lines)

    @cached_property
    def bottom(self) -> float:
        """The lower edge."""
        return min(line.bottom for line in self.lines)

    @cached_property
    def top(self) -> float:
        """The upper edge."""
        return max(line.top for line in self.lines)


def page_regions(lines: Sequence[Line], typography: Typography) -> Iterator[Region]:
    """The regions of the page with ``lines``, in content order."""
    paragraph: list[Line] = []
    for item in detect_tables(in_rows(lines)):
        if isinstance(item, Table):
            if paragraph:
                yield Region(tuple(paragraph))
                paragraph = []
            yield Region(tuple(item.lines), item)
            continue
        for line in _related_parts(item):
            if paragraph and (len(paragraph) >= _LINES_MAX or not _continues(paragraph, line, typography)):
                yield Region(tuple(paragraph))
                paragraph = []
            paragraph.append(line)
    if paragraph:
        yield Region(tuple(paragraph))


def _related_parts(line: Line) -> Iterator[Line]:
    parts = line.split(_UNRELATED_GAP)
    for number, words in enumerate(parts, 1):
        yield replace(line, words=words, hyphenated=line.hyphenated and number == len(parts))


def _continues(paragraph: Sequence[Line], line: Line, typography: Typography) -> bool:
    """Whether ``line`` belongs to the same paragraph: same typography, close below, overlapping, not a list item."""
    before = paragraph[-1]
    distance = before.bottom - line.bottom
    same_style = (before.rotation, before.bold, before.monospaced) == (line.rotation, line.bold, line.monospaced)
    return (
        same_style
        and abs(before.font_size - line.font_size) < 0.1 * max(before.font_size, line.font_size)
        and 0.3 * line.font_size < distance < _PARAGRAPH_SPACING * typography.line_spacing * line.font_size
        and (line.monospaced or (line.left < before.right and before.left < line.right))
        and not _LIST_ITEM.match(line.text)
    )
