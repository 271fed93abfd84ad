"""XLSX: every sheet is a section, every run of rows a table."""

from __future__ import annotations

import datetime
import io
import warnings
from collections.abc import Iterator
from itertools import groupby

from openpyxl import load_workbook

from retriton_pipeline.documents.archives import open_archive
from retriton_pipeline.documents.model import Block, Content
from retriton_pipeline.documents.office import core_properties
from retriton_pipeline.documents.tables import table_block
from retriton_pipeline.errors import UnreadableDocument

_HEADER_ROWS_MAX = 3
_ROWS_MAX = 2**20  # as the format allows
_CELLS_MAX = 20_000_000  # with the empty ones, which a small file can pretend to have without end


def read_xlsx(raw: bytes) -> Content:
    """Blocks, and the properties of the file; formulas count as the values that were saved with them.

    Raises:
        UnreadableDocument: it is something else, encrypted, damaged or a bomb.
    """
    title, metadata = core_properties(open_archive(raw, "an XLSX", "xl/workbook.xml", trees=False))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and extensions, which do not matter here
        return Content(title, list(_blocks(raw)), metadata)


def _blocks(raw: bytes) -> Iterator[Block]:
    workbook = load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
    for sheet in workbook.worksheets:
        tables = list(_tables(_rows(sheet)))
        if tables:
            yield Block(sheet.title, heading_level=1)
            yield from tables


def _tables(rows: Iterator[list[str]]) -> Iterator[Block]:
    """The tables, which blank rows separate; but a few rows before one are its header."""
    header: list[list[str]] = []
    for filled, group in groupby(rows, key=any):
        run = list(group)
        if (
            filled
            and not header
            and len(run) <= _HEADER_ROWS_MAX
            and any(len(list(filter(None, row))) > 1 for row in run)
        ):
            header = run
        elif filled:
            yield from filter(None, [table_block(header + run)])
            header = []
        elif len(run) > 1:
            yield from filter(None, [table_block(header)])
            header = []
    yield from filter(None, [table_block(header)])


def _rows(sheet: object) -> Iterator[list[str]]:
    sheet.reset_dimensions()  # type: ignore[attr-defined]  # what the file says about them may be wrong
    cells = rows = 0
    for row in sheet.iter_rows(values_only=True):  # type: ignore[attr-defined]
        cells, rows = cells + len(row), rows + 1
        if cells > _CELLS_MAX or rows > _ROWS_MAX:
            raise UnreadableDocument(f"a sheet has more than {_CELLS_MAX} cells or {_ROWS_MAX} rows")
        yield [_text(value) for value in row]


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.15g}"  # as Excel shows it, without the noise of binary fractions
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ").removesuffix(" 00:00:00")
    return str(value)
