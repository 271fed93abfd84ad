"""XLS, the binary format of older Excel: each visible sheet is a section, as in XLSX."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import pairwise

import olefile
import xlrd

from retriton_pipeline.documents.model import Block, Content, Scalar
from retriton_pipeline.documents.office.merged_cells import MergedCells
from retriton_pipeline.documents.office.number_formats import displayed, displayed_text
from retriton_pipeline.documents.office.parallel_lines import split_rows
from retriton_pipeline.documents.office.renamed import read_renamed
from retriton_pipeline.documents.office.sheet_tables import sheet_tables
from retriton_pipeline.documents.office.xlsx_sheet import DAYS_TO_1904, without_midnight
from retriton_pipeline.documents.signatures import require_ole
from retriton_pipeline.documents.text.encoding import decode
from retriton_pipeline.documents.titles import usable_title
from retriton_pipeline.errors import UnreadableDocument

_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)
_SOLID = 1  # a fill pattern


def read_xls(raw: bytes) -> Content:
    """Blocks. Values are read as they are displayed.

    Hidden sheets, rows and columns are skipped, as is text that is struck or in the colour of its background.

    Raises:
        UnreadableDocument: it is of another format, encrypted, or damaged.
    """
    if renamed := read_renamed(raw, "office.xlsx:read_xlsx"):
        return renamed
    require_ole(raw, "an XLS")
    try:
        book = xlrd.open_workbook(file_contents=raw, formatting_info=True, logfile=io.StringIO(), use_mmap=False)
    except xlrd.XLRDError as error:
        reason = "it is encrypted and requires a password" if "encrypted" in str(error) else f"it is damaged: {error}"
        raise UnreadableDocument(reason) from error
    blocks: list[Block] = []
    for sheet in book.sheets():
        if not sheet.visibility:
            found = list(sheet_tables(split_rows(_rows(book, sheet))))
            blocks += [Block(sheet.name, heading_level=1), *found] if found else []
    title, metadata = _properties(raw)
    return Content(title, blocks, metadata)


def _properties(raw: bytes) -> tuple[str, dict[str, Scalar]]:
    with olefile.OleFileIO(io.BytesIO(raw)) as opened:
        stated = opened.get_metadata()
    texts = {name: decode(value) for name in ("title", "author", "subject") if (value := getattr(stated, name))}
    return usable_title(texts.pop("title", "")), dict(texts)


def _rows(book: xlrd.Book, sheet: xlrd.sheet.Sheet) -> Iterator[list[str]]:
    hidden = {column for column, info in sheet.colinfo_map.items() if info.hidden or not info.width}
    merged = MergedCells((left + 1, top + 1, right, bottom) for top, bottom, left, right in sheet.merged_cells)
    for row in range(sheet.nrows):
        texts = merged.unfolded(row + 1, [_text(book, seen) for seen in _seen_cells(book, sheet, row)])
        if row in sheet.rowinfo_map and (sheet.rowinfo_map[row].hidden or sheet.rowinfo_map[row].height == 0):
            continue
        cells = [text for column, text in enumerate(texts) if column not in hidden]
        yield cells if any(cells) else []


def _seen_cells(book: xlrd.Book, sheet: xlrd.sheet.Sheet, row: int) -> Iterator[xlrd.sheet.Cell]:
    """The cells of a row, without the parts of texts that are not seen."""
    for column, cell in enumerate(sheet.row(row)):
        style = book.xf_list[cell.xf_index] if cell.xf_index is not None else None
        is_hidden_zero = not sheet.show_zero_values and cell.ctype == xlrd.XL_CELL_NUMBER and not cell.value
        if is_hidden_zero or (style and _is_unseen(book, style)):
            cell.ctype = xlrd.XL_CELL_EMPTY
        elif cell.ctype == xlrd.XL_CELL_TEXT and (runs := sheet.rich_text_runlist_map.get((row, column))):
            starts = [0, *(start for start, _ in runs), len(cell.value)]
            struck = [False, *(bool(book.font_list[font].struck_out) for _, font in runs)]
            parts = (cell.value[start:end] for start, end in pairwise(starts))
            cell.value = "".join(part for part, is_struck in zip(parts, struck, strict=True) if not is_struck)
        yield cell


def _is_unseen(book: xlrd.Book, style: xlrd.formatting.XF) -> bool:
    """Whether the text of a cell is struck, or has the colour of its background."""
    font, background = book.font_list[style.font_index], style.background
    shown = book.colour_map.get(font.colour_index) or _BLACK
    behind = book.colour_map.get(background.pattern_colour_index) if background.fill_pattern == _SOLID else None
    return bool(font.struck_out) or shown == (behind if background.fill_pattern else _WHITE)


def _text(book: xlrd.Book, cell: xlrd.sheet.Cell) -> str:
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return "TRUE" if cell.value else "FALSE"
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return str(xlrd.error_text_from_code.get(cell.value, "#ERROR"))
    if cell.ctype not in (xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE, xlrd.XL_CELL_TEXT):
        return ""
    style = book.xf_list[cell.xf_index] if cell.xf_index is not None else None
    form = book.format_map.get(style.format_key) if style else None
    code = form.format_str if form else "General"
    if cell.ctype == xlrd.XL_CELL_TEXT:
        return displayed_text(cell.value, code)
    value = int(cell.value) if cell.value == int(cell.value) and code == "General" else cell.value
    if isinstance(value, int):
        return str(value)
    return without_midnight(displayed(value, code, DAYS_TO_1904 if book.datemode else 0))
