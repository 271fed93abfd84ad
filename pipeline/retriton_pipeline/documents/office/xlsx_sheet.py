"""The rows of a sheet of an XLSX as they are displayed, and the texts drawn on it."""

from __future__ import annotations

import datetime
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE
from openpyxl.utils.datetime import MAC_EPOCH, to_excel
from openpyxl.utils.escape import unescape
from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

from retriton_pipeline.documents.office.charts import chart_titles, charts_of
from retriton_pipeline.documents.office.docx_fields import CHECKED, UNCHECKED
from retriton_pipeline.documents.office.drawings import paragraph_texts, smartart_lines
from retriton_pipeline.documents.office.merged_cells import MergedCells, merged_ranges
from retriton_pipeline.documents.office.number_formats import displayed, displayed_text
from retriton_pipeline.documents.office.ooxml import (
    DIAGRAM,
    RELATIONSHIPS,
    part_finder,
    related_parts,
)
from retriton_pipeline.documents.office.unseen_text import UnseenStyles, remove_struck_runs, remove_struck_text
from retriton_pipeline.documents.office.xlsx_controls import control_marks

_COLUMNS_MAX = 16_384  # the limit of the format
DAYS_TO_1904 = 1462
_MIDNIGHT = (" 00:00:00", " 0:00:00", " 00:00", " 0:00")
_TRUE = ("1", "true")
_FORMATS = BUILTIN_FORMATS | {  # of which openpyxl has two without their separators
    44: '_("$"* #,##0.00_);_("$"* \\(#,##0.00\\);_("$"* "-"??_);_(@_)',
    47: "mm:ss.0",
}
_HIDES_ZEROS = re.compile(rb"""<(?:\w+:)?sheetView [^>]{0,1000}showZeros=["'](?:0|false)""")
_HEAD_BYTES = 16 * 1024


class _Parser(WorkSheetParser):
    """Leaves out what is struck within a cell, and counts the formulas whose value was not saved.

    Programs that do not calculate save none.
    """

    formulas_without_value = 0

    def parse_cell(self, element: Any) -> dict[str, Any]:
        if (string := element.find("{*}is")) is not None:
            remove_struck_runs(string)
        cell: dict[str, Any] = super().parse_cell(element)
        if cell["value"] is None and element.find(FORMULA_TAG) is not None and element.get("t") != "str":
            self.formulas_without_value += 1
        return cell


class Cells:
    """Displays the values of the cells of a workbook.

    Args:
        workbook: an openpyxl workbook, opened for reading only.
        check_boxes: the numbers of the styles of cells with check boxes.

    Attributes:
        formulas_without_value: the number of formulas in the rows so far whose value was not saved.
    """

    def __init__(self, workbook: Any, check_boxes: set[int]) -> None:
        self._workbook = workbook
        self._check_boxes = check_boxes
        self._days_added = DAYS_TO_1904 if workbook.epoch == MAC_EPOCH else 0
        self._codes: dict[int, str] = {}
        self._unseen_styles = UnseenStyles(workbook)
        self._unseen: set[int] = set()
        self._hides_zeros = False
        self.formulas_without_value = 0

    def rows(self, sheet: Any, count: Callable[[list[str]], None]) -> Iterator[list[str]]:
        """The texts of the visible cells of each visible row; empty for a blank row.

        Args:
            sheet: a sheet of the workbook.
            count: is called with each row, hidden columns included.
        """
        with sheet._get_source() as source:
            merged = MergedCells(merged_ranges(source))
        with sheet._get_source() as source:
            self._unseen = self._unseen_styles.of(source)
        with sheet._get_source() as source:
            self._hides_zeros = _HIDES_ZEROS.search(source.read(_HEAD_BYTES)) is not None
        with sheet._get_source() as source:
            parser = _Parser(source, sheet._shared_strings, data_only=True, epoch=self._workbook.epoch)
            expected = 1
            hidden: set[int] | None = None
            for number, cells in parser.parse():
                hidden = _hidden_columns(parser) if hidden is None else hidden
                for _ in range(expected, number):
                    count([])
                    yield []
                expected = number + 1
                row = merged.unfolded(number, self._texts(cells))
                count(row)
                if not _is_hidden_line(parser.row_dimensions.pop(str(number), {}), "ht"):
                    visible = [text for column, text in enumerate(row, 1) if column not in hidden]
                    yield visible if any(visible) else []
            self.formulas_without_value += parser.formulas_without_value

    def _texts(self, cells: list[dict[str, Any]]) -> list[str]:
        texts = [""] * max((cell["column"] for cell in cells), default=0)
        for cell in cells:
            texts[cell["column"] - 1] = self._text(cell["value"], int(cell["style_id"]))
        return texts

    def _text(self, value: object, style: int) -> str:
        if value is None or style in self._unseen or (self._hides_zeros and value == 0 and value is not False):
            return ""
        if isinstance(value, bool):
            return (CHECKED if value else UNCHECKED) if style in self._check_boxes else str(value).upper()
        code = self._code(style)
        if isinstance(value, int) and (code == "General" or abs(value) > 10**15):
            return str(value)
        if isinstance(value, datetime.date | datetime.time | datetime.timedelta):
            if code == "General":
                return str(value)
            value = float(to_excel(value, self._workbook.epoch))  # type: ignore[no-untyped-call]
        if isinstance(value, int | float):
            return without_midnight(displayed(value, code, self._days_added))
        return displayed_text(unescape(str(value)), code)

    def _code(self, style: int) -> str:
        if style not in self._codes:
            styles, codes = self._workbook._cell_styles, self._workbook._number_formats
            number = styles[style].numFmtId if style < len(styles) else 0
            custom = number - BUILTIN_FORMATS_MAX_SIZE
            self._codes[style] = (
                _FORMATS.get(number, "General") if custom < 0 else codes[custom] if custom < len(codes) else ""
            ) or "General"
        return self._codes[style]


def without_midnight(text: str) -> str:
    """A displayed date without the time, if that is midnight: dates of programs have such a time."""
    return next((text.removesuffix(end) for end in _MIDNIGHT if text.endswith(end)), text)


def _is_hidden_line(dimensions: dict[str, str], size: str) -> bool:
    """Whether a row or a column is hidden or has no height or width."""
    return dimensions.get("hidden") in _TRUE or dimensions.get(size, "1").strip("0.") == ""


def _hidden_columns(parser: WorkSheetParser) -> set[int]:
    hidden: set[int] = set()
    for column in parser.column_dimensions.values():
        if _is_hidden_line(column, "width"):
            hidden.update(range(int(column["min"]), min(int(column["max"]), _COLUMNS_MAX) + 1))
    return hidden


def drawn_texts(archive: zipfile.ZipFile, part: str, found: set[str]) -> Iterator[str]:
    """The texts of the text boxes, shapes, controls and SmartArt on the sheet ``part``, and titles of charts.

    Args:
        archive: the file.
        part: the name of the part.
        found: the names of the parts that were read, for all sheets.
    """
    marks = control_marks(archive, part, found)
    for path, drawing in related_parts(archive, part, "drawing", found):
        find = part_finder(archive, path, found)
        remove_struck_text(drawing)
        for anchor in drawing:
            properties = next(anchor.iter("{*}cNvPr"), None)
            if properties is not None and (mark := marks.get(properties.get("id", ""))) is not None:
                yield " ".join([mark, *paragraph_texts(anchor)]).strip()
            elif properties is None or properties.get("hidden") not in _TRUE:
                yield "\n".join(paragraph_texts(anchor))
                for diagram in anchor.iter(f"{DIAGRAM}relIds"):
                    data = find(diagram.get(f"{RELATIONSHIPS}dm"))
                    yield "\n".join(smartart_lines(data)) if data is not None else ""
                for reference in charts_of(anchor):
                    chart = find(reference.get(f"{RELATIONSHIPS}id"))
                    yield "\n".join(chart_titles(chart)) if chart is not None else ""
