"""Puts the lines of tables whose content runs by columns in the order of their rows."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, pairwise, takewhile

from retriton_pipeline.documents.pdf.line import Line

_HEIGHT_TOLERANCE = 0.3  # in font sizes
_ROWS_MIN = 2  # that two columns have in common
_LINES_SHARE_MIN, _ROWS_SHARE_MIN = 0.7, 0.5  # of those of the next column, of all rows
_ROWS_MIN_OF_SHORT, _SHORT_CHARACTERS = 3, 3
_CELL_CHARACTERS_MAX = 25  # on average; columns of longer lines are text columns of the page
_VALUE_CHARACTERS_MAX, _NAME_CHARACTERS_MAX = 12, 40  # beside a column of values, names can be longer
_SIZE_TOLERANCE = 0.1
_LINE_DISTANCE_MIN = 0.9  # in font sizes; closer ones are parts of a formula
_COLUMNS_MAX = 64
_Column = list[Line]


def in_rows(lines: Sequence[Line]) -> list[Line]:
    """``lines`` with those of adjacent columns whose lines have the same heights joined row by row."""
    ordered: list[Line] = []
    pending = deque(_columns(lines))
    while pending:
        columns = [pending.popleft()]
        while pending and len(columns) < _COLUMNS_MAX and (found := _beside(columns, pending[0])):
            before, columns[0], column, after = found
            ordered += before
            columns.append(column)
            pending.popleft()
            if after:
                pending.appendleft(after)
                break
        ordered += _rows(columns) if _are_cells(columns) else chain.from_iterable(columns)
    return ordered


def _columns(lines: Sequence[Line]) -> list[_Column]:
    """Runs of lines, each below the one before it."""
    columns: list[_Column] = []
    for line in lines:
        before = columns[-1][-1] if columns else None
        if before and line.bottom < before.bottom - _tolerance(line) and line.rotation == before.rotation:
            columns[-1].append(line)
        else:
            columns.append([line])
    return columns


def _beside(columns: Sequence[_Column], following: _Column) -> tuple[_Column, _Column, _Column, _Column] | None:
    """The lines above, the first column and the next one, and the lines below, if ``following`` starts with one."""
    first, top, bottom = columns[0], following[0], columns[-1][-1].bottom
    rows = list(takewhile(lambda line: line.bottom <= top.bottom + _tolerance(top), reversed(first)))[::-1]
    column = [line for line in following if line.bottom >= bottom - _tolerance(line)]
    common = _common(rows, column)
    if common < max(_ROWS_MIN, _LINES_SHARE_MIN * len(column), _ROWS_SHARE_MIN * len(rows)):
        return None
    last = rows if len(columns) == 1 else columns[-1]
    if min(line.left for line in column) < max(line.right for line in last) or column[0].rotation != rows[0].rotation:
        return None
    return first[: len(first) - len(rows)], rows, column, following[len(column) :]


def _common(rows: _Column, column: _Column) -> int:
    """The number of lines of ``column`` that are at the height of one of ``rows``."""
    count = index = 0
    for line in column:
        while index < len(rows) and rows[index].bottom > line.bottom + _tolerance(line):
            index += 1
        count += index < len(rows) and rows[index].bottom >= line.bottom - _tolerance(line)
    return count


def _are_cells(columns: Sequence[_Column]) -> bool:
    """Whether these are columns of short lines in one font size; very short ones in two rows are formulas."""
    size = columns[0][0].font_size
    lengths = [sum(len(line.text) for line in column) / len(column) for column in columns]
    distances = (above.bottom - below.bottom for column in columns for above, below in pairwise(column))
    return (
        len(columns) > 1
        and (min(map(len, columns)) >= _ROWS_MIN_OF_SHORT or (len(columns) > 2 and min(lengths) > _SHORT_CHARACTERS))
        and max(lengths) < (_CELL_CHARACTERS_MAX if min(lengths) > _VALUE_CHARACTERS_MAX else _NAME_CHARACTERS_MAX)
        and min(distances) > _LINE_DISTANCE_MIN * size
        and all(abs(line.font_size - size) < _SIZE_TOLERANCE * size for column in columns for line in column)
    )


def _rows(columns: Sequence[_Column]) -> list[Line]:
    rows: list[list[Line]] = []
    for line in sorted(chain.from_iterable(columns), key=lambda line: -line.bottom):
        if rows and rows[-1][0].bottom - line.bottom < _tolerance(line):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [_joined(sorted(row, key=lambda line: line.left)) for row in rows]


def _joined(row: list[Line]) -> Line:
    return replace(
        row[0],
        words=tuple(chain.from_iterable(line.words for line in row)),
        bold=all(line.bold for line in row),
        hyphenated=False,
    )


def _tolerance(line: Line) -> float:
    return _HEIGHT_TOLERANCE * line.font_size
