"""Tables of every format as Markdown tables, whose header is known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from retriton_pipeline.documents.model import Block

_BEFORE = re.compile(r"[$€£¥(]+")  # cells that belong to the number in the next, as accountants set them
_AFTER = re.compile(r"[)%]+")
_NUMBER = re.compile(r"(?!(?:19|20)\d\d$)[$€£¥(+\-−]*\d[\d.,'\s]*[)%]*|[—–\-]")  # years are names of columns
_HEADER_ROWS_MAX = 3


def table_block(rows: Iterable[Sequence[str]], page: int | None = None, plain: bool = False) -> Block | None:
    """A table of ``rows``, of which it begins with a header; None if all cells are empty.

    Empty rows and columns are left out. What has one row or one column is no table, only lines. A ``plain`` table was
    not made for the eye: its header is its first row, and no column is there for looks.
    """
    grid = _without_empty([_glued([" ".join(cell.split()) for cell in row]) for row in rows])
    if not grid:
        return None
    if len(grid) == 1 or len(grid[0]) == 1:
        return Block("\n".join(" ".join(filter(None, row)) for row in grid), page=page, verbatim=True)
    if not plain:
        grid = _with_one_header(_without_spacers(grid))
    header = f"{_line(grid[0])}\n|{'---|' * len(grid[0])}"
    return Block("\n".join([header, *map(_line, grid[1:])]), page=page, verbatim=True, header=header)


def _line(row: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def _glued(row: list[str]) -> list[str]:
    for index in range(len(row) - 1):
        if _BEFORE.fullmatch(row[index]) and _NUMBER.match(row[index + 1]):
            row[index : index + 2] = ["", row[index] + row[index + 1]]
        elif row[index][-1:].isdecimal() and _NUMBER.fullmatch(row[index]) and _AFTER.fullmatch(row[index + 1]):
            row[index : index + 2] = [row[index] + row[index + 1], ""]
    return row


def _without_empty(rows: list[list[str]]) -> list[list[str]]:
    rows = [row for row in rows if any(row)]
    width = max(map(len, rows), default=0)
    kept = [column for column in range(width) if any(column < len(row) and row[column] for row in rows)]
    return [[row[column] if column < len(row) else "" for column in kept] for row in rows]


def _without_spacers(grid: list[list[str]]) -> list[list[str]]:
    """Columns that hold nothing but the names of the next ones give them to these."""
    for column in range(len(grid[0]) - 1):
        below = any(row[column] for row in grid[_HEADER_ROWS_MAX:])
        if len(grid) > _HEADER_ROWS_MAX and not below and not any(row[column] and row[column + 1] for row in grid):
            for row in grid:
                row[column : column + 2] = ["", row[column] or row[column + 1]]
    return _without_empty(grid)


def _with_one_header(grid: list[list[str]]) -> list[list[str]]:
    """A header that takes several rows, the first of which leaves cells empty for it, in one."""
    height = 1
    while height < min(_HEADER_ROWS_MAX, len(grid) - 1) and "" in grid[0] and _is_header(grid[height]):
        height += 1
    return [[" ".join(filter(None, cells)) for cells in zip(*grid[:height], strict=True)], *grid[height:]]


def _is_header(row: Sequence[str]) -> bool:
    filled = [cell for cell in row if cell]
    return len(filled) > 1 and "" not in row[1:] and not any(_NUMBER.fullmatch(cell) for cell in filled)
