"""Detects tables on a PDF page: consecutive lines whose cells are aligned in columns."""

from __future__ import annotations

from collections.abc import Sequence

from retriton_pipeline.documents.pdf.line import Line
from retriton_pipeline.documents.pdf.table import Table

_ROWS_MAX = 1000  # longer tables continue in another one


def detect_tables(lines: Sequence[Line]) -> list[Line | Table]:
    """``lines`` with the lines of each table replaced by it, and adjacent text columns put one after the other."""
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


def _table(lines: Sequence[Line]) -> Table:
    """The table that starts with the first of ``lines``; it ends with a row of several cells."""
    table, complete = Table(), 0
    for number, line in enumerate(lines, 1):
        if (number == 1 and len(line.cells) < 2) or not table.add(line):
            break
        complete = number if len(table.rows[-1]) > 1 else complete
    return table if complete == len(table.lines) else _table(lines[:complete])
