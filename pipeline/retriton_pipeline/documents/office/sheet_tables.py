"""The tables of a sheet, which blank rows and columns separate, and their titles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice

from retriton_pipeline.documents.html.fragments import shown_text
from retriton_pipeline.documents.model import Block
from retriton_pipeline.documents.tables import SPANNED, is_number, table_block

_HEADER_ROWS_MAX = 3
_TITLE_ROWS_MAX = 5
_BLOCK_ROWS = 4_000  # the cells of more rows are not in memory at once
_TABLES_BESIDE_MAX = 16
_Rows = list[list[str]]


def sheet_tables(rows: Iterator[list[str]]) -> Iterator[Block]:
    """The tables. Up to three rows of names above a single blank row are the header of the next table.

    Rows above a table with a single cell are its title. A long table becomes several blocks with the same header.

    Args:
        rows: the texts of the cells; empty for a blank row.
    """
    header: _Rows = []
    for filled, group in groupby(map(_shown, rows), key=any):
        run = list(islice(group, _BLOCK_ROWS))
        if filled:
            titles, run = _titles(run)
            if titles and header:
                yield from _tables(header)
                header = []
            yield from (Block(title) for title in titles)
        if filled and not header and _is_header(run):
            header = run
        elif filled:
            names = header or run[:1]
            yield from _tables(header + run)
            yield from _continued(group, names)  # noqa: B031 - the rest of the same group
            header = []
        elif len(run) > 1:
            yield from _tables(header)
            header = []
    yield from _tables(header)


def _shown(row: list[str]) -> list[str]:
    """``row`` with the texts of cells that are HTML, as exports of content management systems have them."""
    return [cell if cell is SPANNED else shown_text(cell) for cell in row]


def _titles(run: _Rows) -> tuple[list[str], _Rows]:
    """The texts of the rows at the start that have one cell, in the first column, and the rows of the table below."""
    number = 0
    while number < min(_TITLE_ROWS_MAX, len(run) - 2) and _is_title(run[number], run[number + 1 :]):
        number += 1
    if not number or all(sum(map(bool, row)) < 2 for row in run[number:]):
        return [], run
    return ["".join(row) for row in run[:number]], run[number:]


def _is_title(row: Sequence[str], below: _Rows) -> bool:
    first = next(column for column, cell in enumerate(row) if cell)
    if sum(map(bool, row)) > 1 or is_number(row[first]):
        return False
    leftmost = min(next(column for column, cell in enumerate(other) if cell) for other in below[:_TITLE_ROWS_MAX])
    is_merged = any(cell is SPANNED for cell in row)
    return first <= leftmost and (is_merged or (first < len(below[0]) and bool(below[0][first])))


def _is_header(run: Sequence[Sequence[str]]) -> bool:
    has_values = any(is_number(cell) for row in run for cell in row if cell)
    return len(run) <= _HEADER_ROWS_MAX and not has_values and any(len(list(filter(None, row))) > 1 for row in run)


def _tables(run: _Rows) -> Iterator[Block]:
    """The table of ``run``, or the tables that stand beside each other in it."""
    parts = _parts_beside(run) if 1 < len(run) < _BLOCK_ROWS else []
    for part in parts if len(parts) > 1 else [run]:
        yield from filter(None, [table_block(part)])


def _parts_beside(run: _Rows) -> list[_Rows]:
    """The parts between blank columns, if each is a table: with a name for each column, and words in the first one."""
    width = max(map(len, run))
    filled = [any(cell or cell is SPANNED for row in run for cell in row[at : at + 1]) for at in range(width)]
    parts: list[_Rows] = []
    for is_filled, columns in groupby(range(width), key=filled.__getitem__):
        if is_filled:
            first, *_, last = [*columns] * 2
            parts.append([row for full in run if any(row := full[first : last + 1])])
    return parts if len(parts) <= _TABLES_BESIDE_MAX and all(map(_is_complete, parts)) else []


def _is_complete(part: _Rows) -> bool:
    names, *below = part
    is_named = len(names) > 1 and all(names) and not any(map(is_number, names))
    labels = [row[0] for row in below if row[0]]
    return is_named and 2 * sum(not is_number(label) for label in labels) > len(below)


def _continued(rows: Iterable[list[str]], header: Sequence[Sequence[str]]) -> Iterator[Block]:
    while run := list(islice(rows, _BLOCK_ROWS)):
        yield from filter(None, [table_block([list(row) for row in header] + run, header_rows=len(header))])
