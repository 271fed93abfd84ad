"""Lines of a PDF page put together to paragraphs and tables, in the order in which people read them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from retriton_pipeline.documents.pdf_line import Line
from retriton_pipeline.documents.pdf_style import Style
from retriton_pipeline.documents.pdf_tables import Table, split_tables

_GAP = 1.25  # of the usual distance of lines: more begins a paragraph
_APART = 4.0  # sizes of the letters: pieces of a line with a wider gap between have nothing to do with each other
_GUTTER = 0.8  # sizes of the body text: narrower gaps separate no columns
_TELLING_CHARACTERS = 20  # labels of figures stand in any order
_LIST_ITEM = re.compile(r"[•●○◦▪■□·➢\ufffd\uf0b7]|[–\-*] |\(?(?:\d{1,2}|[a-z])[.)] ")


@dataclass(frozen=True)
class Piece:
    """A paragraph, or a table if it has one, and where it stands."""

    lines: tuple[Line, ...]
    table: Table | None = None

    @cached_property
    def left(self) -> float:
        """Its left edge; as the others in points from the lower left corner."""
        return min(line.left for line in self.lines)

    @cached_property
    def right(self) -> float:
        """Its right edge."""
        return max(line.right for line in self.lines)

    @cached_property
    def bottom(self) -> float:
        """Its lower edge."""
        return min(line.bottom for line in self.lines)

    @cached_property
    def top(self) -> float:
        """Its upper edge."""
        return max(line.top for line in self.lines)


def page_pieces(lines: Sequence[Line], style: Style) -> list[Piece]:
    """The pieces of a page: in the order of its content, unless that jumps back."""
    pieces = list(_pieces(lines, style))
    telling = [piece for piece in pieces if sum(len(line.text) for line in piece.lines) >= _TELLING_CHARACTERS]
    if any(_jumps_back(before, after) for before, after in pairwise(telling)):
        return _in_reading_order(pieces, _GUTTER * style.body)
    return pieces


def _pieces(lines: Sequence[Line], style: Style) -> Iterator[Piece]:
    paragraph: list[Line] = []
    for item in split_tables(lines):
        if isinstance(item, Table):
            if paragraph:
                yield Piece(tuple(paragraph))
                paragraph = []
            yield Piece(tuple(item.lines), item)
            continue
        for line in _apart(item):
            if paragraph and not _goes_on(paragraph, line, style):
                yield Piece(tuple(paragraph))
                paragraph = []
            paragraph.append(line)
    if paragraph:
        yield Piece(tuple(paragraph))


def _apart(line: Line) -> Iterator[Line]:
    """The parts of ``line`` that have nothing to do with each other."""
    parts = line.split(_APART)
    for number, words in enumerate(parts, 1):
        yield replace(line, words=words, hyphen=line.hyphen and number == len(parts))


def _goes_on(paragraph: Sequence[Line], line: Line, style: Style) -> bool:
    before = paragraph[-1]
    step = before.bottom - line.bottom
    alike = before.turn == line.turn and before.bold == line.bold and before.fixed == line.fixed
    return (
        alike
        and abs(before.size - line.size) < 0.1 * max(before.size, line.size)
        and 0.3 * line.size < step < _GAP * style.pitch * line.size
        and (line.fixed or (line.left < before.right and before.left < line.right))
        and not _LIST_ITEM.match(line.text)
    )


def _jumps_back(before: Piece, after: Piece) -> bool:
    """Whether ``after`` stands above ``before``, and not in a column to its right."""
    return after.bottom >= before.top and after.left < before.right and before.lines[0].turn == after.lines[0].turn


def _in_reading_order(pieces: list[Piece], gutter: float) -> list[Piece]:
    """Cut at the widest gap that goes through all, from left to right or from top to bottom, and so on in the parts."""
    if len(pieces) < 2:
        return pieces
    rows = sorted(pieces, key=lambda piece: -piece.top)
    columns = sorted(pieces, key=lambda piece: piece.left)
    row_gap, row = _widest_gap([(-piece.top, -piece.bottom) for piece in rows])
    column_gap, column = _widest_gap([(piece.left, piece.right) for piece in columns])
    if column_gap > max(row_gap, gutter):
        return _in_reading_order(columns[:column], gutter) + _in_reading_order(columns[column:], gutter)
    if row_gap > 0:
        return _in_reading_order(rows[:row], gutter) + _in_reading_order(rows[row:], gutter)
    return pieces


def _widest_gap(spans: Sequence[tuple[float, float]]) -> tuple[float, int]:
    """The widest gap between sorted spans, and the index of the first one after it."""
    best, end = (0.0, 0), spans[0][1]
    for index, (start, stop) in enumerate(spans):
        best = max(best, (start - end, index))
        end = max(end, stop)
    return best
