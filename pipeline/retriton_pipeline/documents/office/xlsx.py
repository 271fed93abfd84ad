"""XLSX: each visible sheet is a section, and each run of rows without a blank row a table."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from openpyxl import load_workbook
from openpyxl.chartsheet import Chartsheet

from retriton_pipeline.documents.model import Block, Content
from retriton_pipeline.documents.office.archive import expansion_max, open_archive, read_member, require_tags
from retriton_pipeline.documents.office.ooxml import transitional_file
from retriton_pipeline.documents.office.parallel_lines import split_rows
from retriton_pipeline.documents.office.properties import core_properties
from retriton_pipeline.documents.office.sheet_tables import sheet_tables
from retriton_pipeline.documents.office.unseen_text import strings_without_struck
from retriton_pipeline.documents.office.xlsx_parts import check_box_styles, sheet_parts
from retriton_pipeline.documents.office.xlsx_sheet import Cells, drawn_texts
from retriton_pipeline.errors import UnreadableDocument

_ROWS_MAX = 2**20  # the limit of the format
_CHARACTERS_MAX = 100_000_000  # cells can share a long text
_STREAMED = ("xl/worksheets/", "xl/sharedStrings.xml")
_PARSED = ("xl/styles.xml", "xl/workbook.xml", "docProps/custom.xml")
_TAGS_MAX = 400_000  # of parts that openpyxl converts to objects, each of which takes some kilobytes
_CELLS_MIN, _CELLS_PER_BYTE_MAX = 2_000_000, 100  # ordinary files have one cell for some five bytes
_CELLS_MAX = 20_000_000  # including empty cells, of which a small file can declare any number


def read_xlsx(raw: bytes) -> Content:
    """Blocks and document properties. Values are read as they are displayed; of formulas, those that were saved.

    Hidden sheets, rows and columns, comments, and text that is struck or in the colour of its background are skipped.

    Raises:
        UnreadableDocument: it is of another format, encrypted, damaged or too large.
    """
    archive = open_archive(raw, "an XLSX", "xl/workbook.xml", streamed=_STREAMED)
    for member in _PARSED:
        require_tags(read_member(archive, member), _TAGS_MAX)
    title, metadata = core_properties(archive)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of styles and extensions that it does not support
        workbook = load_workbook(io.BytesIO(transitional_file(raw, archive)), read_only=True, data_only=True)
        _leave_out_struck(archive, workbook)
        cells = Cells(workbook, check_box_styles(archive))
        blocks = list(_blocks(raw, archive, workbook, cells))
    return Content(title, blocks, metadata, _unreadable(cells.formulas_without_value))


def _leave_out_struck(archive: zipfile.ZipFile, workbook: Any) -> None:
    """Replaces the strings of which a part is struck, in the list that all sheets share."""
    for number, text in strings_without_struck(archive) if workbook.worksheets else ():
        workbook.worksheets[0]._shared_strings[number] = text


def _unreadable(formulas: int) -> dict[str, str]:
    reason = f"{formulas} of its formulas have no saved value: open it in a program for spreadsheets and save it"
    return {"formulas": reason} if formulas else {}


def _blocks(raw: bytes, archive: zipfile.ZipFile, workbook: Any, cells: Cells) -> Iterator[Block]:
    drawn: set[str] = set()
    budget = _Budget(expansion_max(raw, _CELLS_MIN, _CELLS_PER_BYTE_MAX, _CELLS_MAX))
    parts = sheet_parts(archive)
    for sheet in workbook._sheets:  # with those that are only a chart
        if sheet.sheet_state == "visible":
            has_cells = not isinstance(sheet, Chartsheet)
            blocks = list(sheet_tables(split_rows(cells.rows(sheet, budget.add)))) if has_cells else []
            part = sheet._worksheet_path if has_cells else parts.get(sheet.title, "")
            blocks += [Block(text) for text in drawn_texts(archive, part, drawn) if text]
            yield from [Block(sheet.title, heading_level=1), *blocks] if blocks else []


@dataclass
class _Budget:
    """Counts what all sheets have together: they can be any number of views of the same data."""

    cells_max: int
    cells: int = 0
    rows: int = 0
    characters: int = 0

    def add(self, row: list[str]) -> None:
        self.cells, self.rows = self.cells + len(row), self.rows + 1
        self.characters += sum(map(len, row))
        if self.cells > self.cells_max or self.rows > _ROWS_MAX or self.characters > _CHARACTERS_MAX:
            raise UnreadableDocument(
                f"it has more than {self.cells_max} cells, {_ROWS_MAX} rows or {_CHARACTERS_MAX} characters: split it"
            )
