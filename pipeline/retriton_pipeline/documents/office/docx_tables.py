"""Tables of a DOCX such that mammoth reads each cell in its column."""

from __future__ import annotations

from copy import deepcopy

from lxml import etree

from retriton_pipeline.documents.office.docx_elements import new_paragraph, remove
from retriton_pipeline.documents.office.ooxml import WORD
from retriton_pipeline.documents.office.parallel_lines import parallel_lines

_VALUE = f"{WORD}val"
_OFFSET_MIN = 400  # twentieths of a point; a smaller one does not move a row to the next column


def plain_tables(root: etree._Element) -> None:
    """Fills the columns that rows skip, and joins cells that are merged in the older way."""
    for row in list(root.iter(f"{WORD}tr")):
        _join_merged_cells(row)
        _fill_skipped_columns(row)


def is_empty_cell(element: etree._Element | None) -> bool:
    """Whether ``element`` is a cell without text."""
    return element is not None and element.tag == f"{WORD}tc" and not any(map(str.strip, map(str, element.itertext())))


def _join_merged_cells(row: etree._Element) -> None:
    first: etree._Element | None = None
    for cell in list(row.iterchildren(f"{WORD}tc")):
        merged = cell.find(f"{WORD}tcPr/{WORD}hMerge")
        if merged is not None and merged.get(_VALUE, "continue") == "continue" and first is not None:
            _set_span(first, _span(first) + _span(cell))
            row.remove(cell)
        else:
            first = None if merged is None else cell


def _fill_skipped_columns(row: etree._Element) -> None:
    properties = row.find(f"{WORD}trPr")
    skipped = None if properties is None else properties.find(f"{WORD}gridBefore")
    if properties is None or skipped is None:
        return
    offset = properties.find(f"{WORD}wBefore")
    width = _number("" if offset is None else offset.get(f"{WORD}w"), _OFFSET_MIN)
    columns = _number(skipped.get(_VALUE), 0)
    if columns and width >= _OFFSET_MIN:
        made = etree.Element(f"{WORD}tc")
        etree.SubElement(made, f"{WORD}p")
        _set_span(made, columns)
        properties.addnext(made)


def _span(cell: etree._Element) -> int:
    span = cell.find(f"{WORD}tcPr/{WORD}gridSpan")
    return 1 if span is None else _number(span.get(_VALUE), 1)


def _set_span(cell: etree._Element, columns: int) -> None:
    properties = cell.find(f"{WORD}tcPr")
    if properties is None:
        cell.insert(0, properties := etree.Element(f"{WORD}tcPr"))
    span = properties.find(f"{WORD}gridSpan")
    (etree.SubElement(properties, f"{WORD}gridSpan") if span is None else span).set(_VALUE, str(columns))


def _number(value: str | None, default: int) -> int:
    return int(value) if value and value.isdecimal() and len(value) < 6 else default


def split_parallel_lines(row: etree._Element) -> None:
    """Splits a row whose cells have equally many short lines, which belong together, into rows."""
    cells = list(row.iterchildren(f"{WORD}tc"))
    is_plain = all(child.tag in (f"{WORD}p", f"{WORD}tcPr") for cell in cells for child in cell)
    is_merged = any(cell.find(f"{WORD}tcPr/{WORD}vMerge") is not None for cell in cells)
    is_first = not any(True for _ in row.itersiblings(f"{WORD}tr", preceding=True))
    if not is_plain or is_merged or is_first:
        return
    lines = [[line for part in cell.iterchildren(f"{WORD}p") for line in _lines(part)] for cell in cells]
    texts = [["".join(map(str, line.itertext())).strip() for line in column] for column in lines]
    for number in range(parallel_lines(texts) - 1, -1, -1):
        made = etree.Element(f"{WORD}tr")
        for cell, column, words in zip(cells, lines, texts, strict=True):
            made.append(_cell(cell, column[number] if len(column) > 1 else new_paragraph(*words)))
        row.addnext(made)
    if parallel_lines(texts):
        remove(row)


def _lines(whole: etree._Element) -> list[etree._Element]:
    """``whole``, or a paragraph for each of its lines if it has line breaks."""
    if next(whole.iter(f"{WORD}br"), None) is None:
        return [whole]
    lines = [etree.Element(f"{WORD}p")]
    for part in (part for element in whole.iter(f"{WORD}r") for part in element if part.tag != f"{WORD}r"):
        if part.tag == f"{WORD}br":
            lines.append(etree.Element(f"{WORD}p"))
        else:
            etree.SubElement(lines[-1], f"{WORD}r").append(deepcopy(part))
    return lines


def _cell(original: etree._Element, text: etree._Element) -> etree._Element:
    made = etree.Element(f"{WORD}tc")
    if (span := original.find(f"{WORD}tcPr/{WORD}gridSpan")) is not None:
        etree.SubElement(made, f"{WORD}tcPr").append(deepcopy(span))
    made.append(text)
    return made
