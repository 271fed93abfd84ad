"""Segments a PDF page into regions: paragraphs and tables."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from retriton_pipeline.documents.pdf.columns import in_rows
from retriton_pipeline.documents.pdf.line import BULLET, Line
from retriton_pipeline.documents.pdf.ruled_tables import RuledTable
from retriton_pipeline.documents.pdf.table import Table
from retriton_pipeline.documents.pdf.table_detection import detect_tables
from retriton_pipeline.documents.pdf.typography import Typography

_PARAGRAPH_SPACING = 1.25  # in line spacings: a larger distance starts a paragraph
_CODE_SPACING = 3.2  # there may be empty lines in code
_LINES_MAX = 500  # of a paragraph
_SIZE_TOLERANCE = 0.1
_LINE_DISTANCE_MIN = 0.9  # in font sizes
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
    table: Table | RuledTable | None = None

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
    parts = list(_parts(lines))
    for item, following in zip(parts, [*parts[1:], None], strict=False):
        is_continued = isinstance(item, Line) and paragraph and _continues(paragraph, item, following, typography)
        if paragraph and not is_continued:
            yield Region(tuple(paragraph))
            paragraph = []
        if isinstance(item, Line):
            paragraph.append(item)
        else:
            yield Region(tuple(item.lines), item)
    if paragraph:
        yield Region(tuple(paragraph))


def _parts(lines: Sequence[Line]) -> Iterator[Line | Table | RuledTable]:
    """The tables, and the other lines; a table with rules takes the place of its first line."""
    found: set[int] = set()
    for _, group in groupby(lines, key=lambda line: id(line.grid)):
        run = list(group)
        if not (grid := run[0].grid):
            for item in detect_tables(in_rows(run)):
                yield from (item,) if isinstance(item, Table) else _related_parts(item)
        elif id(grid) not in found:
            found.add(id(grid))
            yield RuledTable(grid, [line for line in lines if line.grid is grid])


def _related_parts(line: Line) -> Iterator[Line]:
    parts = [line.words] if line.monospaced else line.split(_UNRELATED_GAP)
    for number, words in enumerate(parts, 1):
        yield replace(line, words=words, hyphenated=line.hyphenated and number == len(parts))


def _continues(
    paragraph: Sequence[Line], line: Line, following: Line | Table | RuledTable | None, typography: Typography
) -> bool:
    """Whether ``line`` belongs to the same paragraph: same typography, close below, overlapping, not a list item.

    It is close if it is no further away than lines of the document usually are, than the line before is from the one
    above, and than ``following`` is from ``line``.
    """
    before = paragraph[-1]
    same_style = (before.rotation, before.bold, before.monospaced) == (line.rotation, line.bold, line.monospaced)
    near = [typography.line_spacing * line.font_size, *map(_distance, paragraph[-2:-1], paragraph[-1:])]
    if isinstance(following, Line):
        near.append(_distance(line, following))
    distance = before.bottom - line.bottom
    return (
        len(paragraph) < _LINES_MAX
        and same_style
        and abs(before.font_size - line.font_size) < _SIZE_TOLERANCE * max(before.font_size, line.font_size)
        and 0.3 * line.font_size < distance < (_CODE_SPACING if line.monospaced else _PARAGRAPH_SPACING) * min(near)
        and (line.monospaced or (line.left < before.right and before.left < line.right))
        and not _LIST_ITEM.match(line.text)
    )


def _distance(above: Line, below: Line) -> float:
    """The distance of two lines of one column; infinite if they are not, or if it is that of parts of a formula."""
    distance = above.bottom - below.bottom
    is_column = above.left < below.right and below.left < above.right and above.rotation == below.rotation
    same_size = abs(above.font_size - below.font_size) < _SIZE_TOLERANCE * above.font_size
    return distance if is_column and same_size and distance > _LINE_DISTANCE_MIN * above.font_size else math.inf
