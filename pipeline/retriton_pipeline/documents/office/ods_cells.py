"""What the cells of an ODS display."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from lxml import etree

from retriton_pipeline.documents.office.archive import local_name
from retriton_pipeline.documents.office.odf_attributes import attributes
from retriton_pipeline.documents.office.odt_text import OdtStyles

_SPACE = {"s": " ", "tab": " ", "line-break": "\n"}
_SKIPPED = ("annotation", "ruby-text")
_DURATION = re.compile(r"PT(?:(\d{1,9})H)?(?:(\d{1,2})M)?(?:(\d{1,2})(?:[.,]\d*)?S)?")
_LEVELS_MAX = 32
_COLUMNS_MAX, _DIGITS_MAX = 16_384, 6


def remove_unseen(root: etree._Element, styles: OdtStyles) -> None:
    """Removes what is struck or in the colour of its background, and what a format such as ``;;;`` hides."""
    is_conditional = next(root.iter("{*}conditional-format"), None) is not None
    unseen = styles.hidden | styles.hidden_values | (set() if is_conditional else styles.same_coloured)
    for table in root.iter("{*}table"):
        columns = list(islice(_column_styles(table), _COLUMNS_MAX))
        for row in table.iter("{*}table-row"):
            usual = attributes(row).get("default-cell-style-name")
            for cell, column in _placed(row):
                default = usual or (columns[column] if column < len(columns) else "")
                if attributes(cell).get("style-name", default) in unseen:
                    cell[:] = []
                    for key in [key for key in cell.attrib if local_name(key) == "value-type"]:
                        del cell.attrib[key]
    for span in [found for found in root.iter("{*}span") if attributes(found).get("style-name") in styles.hidden]:
        span[:], span.text = [], None


def _column_styles(table: etree._Element) -> Iterator[str]:
    for column in table.iter("{*}table-column"):
        of = attributes(column)
        times = of.get("number-columns-repeated", "1")
        repeated = int(times) if times.isdecimal() and len(times) < _DIGITS_MAX else 1
        yield from [of.get("default-cell-style-name", "")] * min(repeated, _COLUMNS_MAX)


def _placed(row: etree._Element) -> Iterator[tuple[etree._Element, int]]:
    """The cells of ``row`` with the number of their first column, from 0."""
    number = 0
    for cell in row.iterchildren("{*}table-cell", "{*}covered-table-cell"):
        yield cell, number
        times = attributes(cell).get("number-columns-repeated", "1")
        number += int(times) if times.isdecimal() and len(times) < _DIGITS_MAX else 1


def displayed_cell(cell: etree._Element, of: dict[str, str]) -> str:
    """The paragraphs of ``cell``, without its comment; its value if a program wrote no paragraphs.

    Args:
        cell: the cell.
        of: its attributes.
    """
    text = "\n".join(map(paragraph_text, cell.iterchildren("{*}p")))
    return text if text.strip() else _value(of)


def paragraph_text(element: etree._Element, level: int = 0) -> str:
    """The text of a paragraph, or of a part of it."""
    parts = [element.text or ""]
    for child in element:
        name = local_name(child.tag)
        if name in _SPACE:
            parts.append(_SPACE[name])
        elif isinstance(child.tag, str) and name not in _SKIPPED and level < _LEVELS_MAX:
            parts.append(paragraph_text(child, level + 1))
        parts.append(child.tail or "")
    return "".join(parts)


def _value(of: dict[str, str]) -> str:
    kind = of.get("value-type", "")
    if kind == "percentage":
        return _percentage(of.get("value", ""))
    if kind == "boolean":
        return of.get("boolean-value", "").upper()
    if kind == "currency":
        return f"{of.get('value', '')} {of.get('currency', '')}".strip()
    if kind == "date":
        return of.get("date-value", "").removesuffix("T00:00:00")
    if kind == "time" and (match := _DURATION.fullmatch(of.get("time-value", ""))):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return f"{hours:02}:{minutes:02}:{seconds:02}"
    return of.get({"string": "string-value", "time": "time-value", "float": "value"}.get(kind, ""), "")


def _percentage(value: str) -> str:
    try:
        return f"{100 * float(value):.10g}%"
    except ValueError:
        return value
