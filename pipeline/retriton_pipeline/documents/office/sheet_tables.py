"""The tables of a sheet, which blank rows separate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice

from retriton_pipeline.documents.model import Block
from retriton_pipeline.documents.tables import table_block

_HEADER_ROWS_MAX = 3
_BLOCK_ROWS = 4_000  # the cells of more rows are not in memory at once


def sheet_tables(rows: Iterator[list[str]]) -> Iterator[Block]:
    """The tables. Up to three rows above a single blank row are the header of the next table.

    A long table becomes several blocks with the same header.

    Args:
        rows: the texts of the cells; empty for a blank row.
    """
    header: list[list[str]] = []
    for filled, group in groupby(rows, key=any):
        run = list(islice(group, _BLOCK_ROWS))
        if filled and not header and _is_header(run):
            header = run
        elif filled:
            yield from filter(None, [table_block(header + run)])
            yield from _continued(group, header or run[:1])  # noqa: B031 - the rest of the same group
            header = []
        elif len(run) > 1:
            yield from filter(None, [table_block(header)])
            header = []
    yield from filter(None, [table_block(header)])


def _is_header(run: Sequence[Sequence[str]]) -> bool:
    return len(run) <= _HEADER_ROWS_MAX and any(len(list(filter(None, row))) > 1 for row in run)


def _continued(rows: Iterable[list[str]], header: list[list[str]]) -> Iterator[Block]:
    while run := list(islice(rows, _BLOCK_ROWS)):
        yield from filter(None, [table_block([list(row) for row in header] + run, header_rows=len(header))])
