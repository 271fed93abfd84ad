"""XLSX: each sheet is a section, and each run of rows without a blank row a table."""

from __future__ import annotations

import datetime
import io
import warnings
from collections.abc import Iterator
from itertools import groupby

from openpyxl import load_workbook

from retriton_pipeline.documents.model import Block, Content
from retriton_pipeline.documents.office.archive import open_archive
from retriton_pipeline.documents.office.properties import core_properties
from retriton_pipeline.documents.tables import table_block
from retriton_pipeline.errors import UnreadableDocument

_HEADER_ROWS_MAX = 3
_ROWS_MAX = 2**20  # the limit of the format
_CELLS_MAX = 20_000_000  # including empty cells, of which a small file can declare any number


def read_xlsx(raw: bytes) -> Content:
    """Blocks and document properties. Of formulas, the values that were saved with them are read.

    Raises:
        UnreadableDocument: it is of another format, encrypted, damaged or too large.
    """
    title, metadata = core_properties(open_archive(raw, "an XLSX", "xl/workbook.xml", trees=False))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of styles and extensions that it does not support
        return Content(title, list(_blocks(raw)), metadata)


def _blocks(raw: bytes) -> Iterator[Block]:
    workbook = load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
    for sheet in workbook.worksheets:
        tables = list(_tables(_rows(sheet)))
        if tables:
            yield Block(sheet.title, heading_level=1)
            yield from tables


def _tables(rows: Iterator[list[str]]) -> Iterator[Block]:
    """The tables, which blank rows separate. Up to three rows above a single blank row are the header of the next."""
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
    sheet.reset_dimensions()  # type: ignore[attr-defined]  # the dimensions in the file may be wrong
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
        return f"{value:.15g}"  # as Excel displays it, without binary rounding errors
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ").removesuffix(" 00:00:00")
    return str(value)
