"""Detects tables on a PDF page: consecutive lines whose cells are aligned in columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from retriton_pipeline.documents.pdf.line import Line
from retriton_pipeline.documents.pdf.table import Table

# In font sizes:
_NARROW_GAP, _ALIGNMENT = 0.6, 0.4
_ALIGNED_GAP, _SAME_EDGE = 0.9, 0.1
_ROWS_MAX = 1000  # longer tables continue in another one


def detect_tables(lines: Sequence[Line]) -> list[Line | Table]:
    """``lines`` with the lines of each table replaced by it, and adjacent text columns put one after the other."""
    lines = _with_narrow_gaps(_with_aligned_gaps(lines))
    found: list[Line | Table] = []
    index = 0
    while index < len(lines):
        table = _table(lines[index : index + _ROWS_MAX])
        if not table.is_table:
            found.append(lines[index])
            index += 1
            continue
        index += len(table.lines)
        prose = table.prose_lines()
        if not prose and found and isinstance(found[-1], Line) and table.add_header(found[-1]):
            found.pop()
        found += prose or [table]
    return found


def _with_aligned_gaps(lines: Sequence[Line]) -> list[Line]:
    """``lines`` with smaller gaps as borders of cells in rows of which three have a cell at the same place.

    Spaces of justified text can be as wide, but not at the same place of consecutive lines.
    """
    split = list(lines)
    edges = [_edges(line) for line in lines]
    for index in range(1, len(lines) - 1):
        above, row, below = edges[index - 1 : index + 2]
        distance = _SAME_EDGE * lines[index].font_size
        if any(_is_near(edge, above, distance) and _is_near(edge, below, distance) for edge in row):
            for place in range(index - 1, index + 2):
                split[place] = replace(lines[place], cell_gap=_ALIGNED_GAP)
    return split


def _edges(line: Line) -> list[tuple[float, float]]:
    """The left and the right edges of the cells of ``line`` but the first, if smaller gaps are borders of cells."""
    if line.monospaced or line.is_entry:
        return []
    cells = line.split(_ALIGNED_GAP)[1:]
    return [(words[0].left, words[-1].right) for words in cells]


def _is_near(edge: tuple[float, float], others: Sequence[tuple[float, float]], distance: float) -> bool:
    return any(abs(edge[0] - left) < distance or abs(edge[1] - right) < distance for left, right in others)


def _with_narrow_gaps(lines: Sequence[Line]) -> list[Line]:
    """``lines`` with narrow gaps as borders of cells where these are aligned with the cells of the line beside."""
    split = list(lines)
    for indices in (range(1, len(split)), range(len(split) - 2, -1, -1)):
        for index in indices:
            beside = split[index - indices.step]
            if 1 < len(split[index].cells) < len(beside.cells):
                candidate = replace(split[index], cell_gap=_NARROW_GAP)
                split[index] = candidate if _are_aligned(candidate, beside) else split[index]
    return split


def _are_aligned(line: Line, other: Line) -> bool:
    """Whether both have as many cells, each at the left or the right edge of the other."""
    distance = _ALIGNMENT * line.font_size
    return len(line.cells) == len(other.cells) and all(
        abs(cell.left - beside.left) < distance or abs(cell.right - beside.right) < distance
        for cell, beside in zip(line.cells, other.cells, strict=True)
    )


def _table(lines: Sequence[Line]) -> Table:
    """The table that starts with the first of ``lines``; it ends with a row of several cells."""
    table, complete = Table(), 0
    for number, line in enumerate(lines, 1):
        if (number == 1 and len(line.cells) < 2) or not table.add(line):
            break
        complete = number if len(table.rows[-1]) > 1 else complete
    return table if complete == len(table.lines) else _table(lines[:complete])
