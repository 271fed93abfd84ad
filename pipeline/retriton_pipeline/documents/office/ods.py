"""ODS: each visible sheet is a section, and each run of rows without a blank row a table."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from retriton_pipeline.documents.model import Block, Content
from retriton_pipeline.documents.office.archive import expansion_max, local_name
from retriton_pipeline.documents.office.odf_attributes import attributes
from retriton_pipeline.documents.office.odf_charts import chart_titles, charts
from retriton_pipeline.documents.office.ods_cells import displayed_cell, paragraph_text, remove_unseen
from retriton_pipeline.documents.office.odt import open_odf
from retriton_pipeline.documents.office.odt_text import OdtStyles
from retriton_pipeline.documents.office.parallel_lines import split_rows
from retriton_pipeline.documents.office.sheet_tables import sheet_tables
from retriton_pipeline.documents.tables import SPANNED
from retriton_pipeline.errors import UnreadableDocument

_DRAWING = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
_COLUMNS_MAX = 16_384
_CELLS_MIN, _CELLS_PER_BYTE_MAX = 2_000_000, 100  # ordinary files have one cell for some five bytes
_CELLS_MAX = 20_000_000
_REPEATED_MAX = 1_000  # rows and cells that are alike; sheets end with a million blank ones
_SPANNED_CHARACTERS_MAX = 200
_HIDDEN = ("collapse", "filter")
_RowSpans = dict[int, tuple[int, str]]  # by column: the rows that a cell still spans, and its text


@dataclass
class _Budget:
    """Counts the cells of all sheets, of which a small file can declare any number."""

    cells_max: int
    cells: int = 0

    def add(self, cells: int) -> None:
        self.cells += cells
        if self.cells > self.cells_max:
            raise UnreadableDocument(f"it has more than {self.cells_max} cells: split it")


def read_ods(raw: bytes) -> Content:
    """Blocks and document properties. Values are read as they are displayed.

    Hidden rows and sheets are skipped, as is text that is struck or in the colour of its background.

    Raises:
        UnreadableDocument: it is of another format, encrypted, damaged or too large.
    """
    odf = open_odf(raw, "an ODS")
    hidden = {
        attributes(style).get("name", "")
        for style in odf.root.iter("{*}style")
        if any(attributes(part).get("display") == "false" for part in style.iterchildren("{*}table-properties"))
    }
    remove_unseen(odf.root, OdtStyles(*odf.styles, odf.root))
    blocks: list[Block] = []
    budget = _Budget(expansion_max(raw, _CELLS_MIN, _CELLS_PER_BYTE_MAX, _CELLS_MAX))
    for table in odf.root.iter("{*}table"):
        if local_name(table.tag) == "table" and attributes(table).get("style-name") not in hidden:
            found = [*sheet_tables(split_rows(_rows(table, budget))), *_drawn(table, odf.archive)]
            name = attributes(table).get("name", "")
            blocks += [Block(name, heading_level=1), *found] if found and name else found
    return Content(odf.title, blocks, odf.metadata)


def _rows(table: etree._Element, budget: _Budget) -> Iterator[list[str]]:
    hidden = _hidden_columns(table)
    spans: _RowSpans = {}
    for row in table.iter("{*}table-row"):
        of = attributes(row)
        cells = [text for column, text in enumerate(_cells(row, spans)) if column not in hidden]
        if of.get("visibility") in _HIDDEN:
            continue
        times = _times(of.get("number-rows-repeated"))
        for _ in range(times if any(cells) else 1 if times == 1 else 2):
            budget.add(len(cells))
            yield list(cells) if any(cells) else []


def _hidden_columns(table: etree._Element) -> set[int]:
    hidden: set[int] = set()
    number = 0
    for column in table.iter("{*}table-column"):
        of = attributes(column)
        times = _times(of.get("number-columns-repeated"), _COLUMNS_MAX)
        if of.get("visibility") in _HIDDEN:
            hidden.update(range(number, min(number + times, _COLUMNS_MAX)))
        number += times
    return hidden


def _cells(row: etree._Element, spans: _RowSpans) -> Iterator[str]:
    """The texts of ``row``, with those of cells above that span it."""
    width = 0
    for cell in row:
        name = local_name(cell.tag)
        if name not in ("table-cell", "covered-table-cell") or width >= _COLUMNS_MAX:
            continue
        of = attributes(cell)
        text = SPANNED if name == "covered-table-cell" else displayed_cell(cell, of)
        if (height := _times(of.get("number-rows-spanned"))) > 1 and len(text) <= _SPANNED_CHARACTERS_MAX:
            spans[width] = (height, text)
        for _ in range(_times(of.get("number-columns-repeated"))):
            rest, above = spans.pop(width, (0, ""))
            if rest > 1:
                spans[width] = (rest - 1, above)
            width += 1
            yield (above or text) if rest and text is SPANNED else text


def _drawn(table: etree._Element, archive: zipfile.ZipFile) -> Iterator[Block]:
    """The text boxes and shapes of a sheet, and the titles of its charts."""
    for shape in table.iter(f"{_DRAWING}*"):
        text = "\n".join(map(paragraph_text, shape.iterchildren("{*}p")))
        yield from [Block(text.strip())] if text.strip() else []
    for _, chart in charts(table, archive):
        yield from [Block("\n".join(titles))] if (titles := chart_titles(chart)) else []


def _times(value: str | None, most: int = _REPEATED_MAX) -> int:
    return min(int(value), most) if value and value.isdecimal() and len(value) < 9 else 1
