"""Tables of all formats as Markdown tables with a header."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from retriton_pipeline.documents.model import Block

_PREFIX = re.compile(r"[$€£¥(]+")  # financial tables put signs and brackets into cells beside the number
_SUFFIX = re.compile(r"[)%]+")
_NUMBER = re.compile(r"(?!(?:19|20)\d\d$)[$€£¥(+\-−]*\d[\d.,'\s]*[)%]*|[—–\-]")  # years are column names
_HEADER_ROWS_MAX = 3
_CELLS_MIN_RAGGED = 100_000
_RAGGEDNESS_MAX = 20
_REPEATED_CHARACTERS_MAX = 200


class _Spanned(str):
    __slots__ = ()


SPANNED = _Spanned()  # the text of a cell that the cell to the left of it spans


def table_block(
    rows: Iterable[Sequence[str]], page: int | None = None, plain: bool = False, header_rows: int = 0
) -> Block | None:
    """A Markdown table of ``rows``, with the header first; None if all cells are empty.

    Empty rows and columns are removed. A table with a single row or column becomes lines of text, as does one whose
    rows have so different widths that most cells would be empty. In the header, the name of a cell that spans columns
    is the name of each.

    Args:
        rows: the texts of the cells.
        page: the page on which the table starts.
        plain: whether the rows are data, not laid out for display: the header is the first row and no column is a
            spacer.
        header_rows: the number of rows of the header, if it is known; 0 if not.
    """
    joined = [_joined_numbers([" ".join(cell.split()) if cell else cell for cell in row]) for row in rows]
    header_rows = sum(any(row) for row in joined[:header_rows])
    if _is_ragged(joined):
        text = "\n".join(" ".join(filter(None, row)) for row in joined if any(row))
        return Block(text, page=page, verbatim=True) if text else None
    grid = _without_empty(joined)
    if not grid:
        return None
    if len(grid) == 1 or len(grid[0]) == 1:
        return Block("\n".join(" ".join(filter(None, row)) for row in grid), page=page, verbatim=True)
    if not plain:
        grid = _with_single_header(_without_spacers(grid), header_rows)
    header = f"{_line(grid[0])}\n|{'---|' * len(grid[0])}"
    return Block("\n".join([header, *map(_line, grid[1:])]), page=page, verbatim=True, header=header)


def is_number(text: str) -> bool:
    """Whether the text of a cell is a number; years are not, because they name columns."""
    return _NUMBER.fullmatch(text) is not None


def _line(row: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def _joined_numbers(row: list[str]) -> list[str]:
    """``row`` with signs and brackets moved into the cell of their number; changed in place."""
    for index in range(len(row) - 1):
        if _PREFIX.fullmatch(row[index]) and _NUMBER.match(row[index + 1]):
            row[index : index + 2] = ["", row[index] + row[index + 1]]
        elif row[index][-1:].isdecimal() and _NUMBER.fullmatch(row[index]) and _SUFFIX.fullmatch(row[index + 1]):
            row[index : index + 2] = [row[index] + row[index + 1], ""]
    return row


def _without_empty(rows: list[list[str]]) -> list[list[str]]:
    rows = [row for row in rows if any(row)]
    kept = sorted({column for row in rows for column, cell in enumerate(row) if cell})
    return [[row[column] if column < len(row) else "" for column in kept] for row in rows]


def _is_ragged(rows: Sequence[Sequence[str]]) -> bool:
    """Whether rows of the same width would consist of many more cells than ``rows``, most of them empty."""
    cells = len(rows) * max(map(len, rows), default=0)
    return cells > _CELLS_MIN_RAGGED and cells > _RAGGEDNESS_MAX * sum(map(len, rows))


def _without_spacers(grid: list[list[str]]) -> list[list[str]]:
    """``grid`` with columns that contain only a column name merged into the next column."""
    for column in range(len(grid[0]) - 1):
        below = any(row[column] for row in grid[_HEADER_ROWS_MAX:])
        if len(grid) > _HEADER_ROWS_MAX and not below and not any(row[column] and row[column + 1] for row in grid):
            for row in grid:
                row[column : column + 2] = ["", _merged(*row[column : column + 2])]
    return _without_empty(grid)


def _merged(left: str, right: str) -> str:
    return left or right or (SPANNED if left is SPANNED else right)


def _with_single_header(grid: list[list[str]], height: int) -> list[list[str]]:
    """``grid`` with a header of several rows joined into one.

    If its height is not known (0), a header of several rows is one that has empty cells in its first row. A single
    empty corner is none if the table has only words, since all of its rows look like names.
    """
    if not height:
        height = 1
        has_gaps = "" in grid[0] and not _is_table_of_words(grid)
        while height < min(_HEADER_ROWS_MAX, len(grid) - 1) and has_gaps and _is_header(grid[height]):
            height += 1
    names = map(_unfolded, grid[:height])
    header = [" ".join(filter(None, dict.fromkeys(cells))) for cells in zip(*names, strict=True)]
    return [header, *grid[height:]]


def _is_table_of_words(grid: Sequence[Sequence[str]]) -> bool:
    """Whether ``grid`` has names of rows and columns around an empty corner, and nothing but words below."""
    corner, *names = grid[0]
    is_cross = corner == "" and corner is not SPANNED and all(names)
    return is_cross and not any(is_number(cell) for row in grid[1:] for cell in row)


def _unfolded(row: Sequence[str]) -> list[str]:
    """``row`` with the text of a cell, unless it is long, in each column that it spans."""
    texts: list[str] = []
    for cell in row:
        is_repeated = cell is SPANNED and texts and len(texts[-1]) <= _REPEATED_CHARACTERS_MAX
        texts.append(texts[-1] if is_repeated else cell)
    return texts


def _is_header(row: Sequence[str]) -> bool:
    filled = [cell for cell in row if cell]
    return len(filled) > 1 and "" not in row[1:] and not any(_NUMBER.fullmatch(cell) for cell in filled)
