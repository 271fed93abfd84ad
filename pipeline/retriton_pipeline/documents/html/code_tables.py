"""Code without the numbers of its lines, which documentation and repositories on the web show in it or in a table."""

from __future__ import annotations

import re
from collections.abc import Callable

from lxml import etree

from retriton_pipeline.documents.html.grid import table_rows

_NUMBERS = re.compile(
    r"(?:^|[\s_-])(?:linenos?|lineno|line-?num(?:ber)?s?|ln-num(?:ber)?s?|blob-num|gutter|ln|lntd?)(?:$|[\s_-])",
    re.IGNORECASE,
)
_NAMES_CHARACTERS_MAX = 1_000
_LINES = {"div", "p", "li"}  # elements that are lines of code
_Hides = Callable[[etree._Element], bool]


def preformatted_text(element: etree._Element, hides: _Hides) -> str:
    """The text of ``element`` with its lines, without hidden elements and numbers of lines.

    Args:
        element: ``pre``, or a cell with code.
        hides: whether an element is not shown.
    """
    parts: list[str] = []
    _add_text(parts, element, hides)
    return "".join(parts)


def _add_text(parts: list[str], element: etree._Element, hides: _Hides) -> None:
    parts.append(element.text or "")
    for child in element.iterchildren(etree.Element):
        if child.tag == "br":
            parts.append("\n")
        elif not (hides(child) or (len(child) <= 1 and _is_named_number(child))):
            is_line = child.tag in _LINES
            _break_line(parts, is_line)
            _add_text(parts, child, hides)
            _break_line(parts, is_line)
        parts.append(child.tail or "")


def _break_line(parts: list[str], is_line: bool) -> None:
    last = next((part for part in reversed(parts) if part), "\n") if is_line else "\n"
    if not last.endswith("\n"):
        parts.append("\n")


def file_names(table: etree._Element) -> list[etree._Element]:
    """The cells above the code of ``table`` that name its file."""
    return [cell for cell in table.iter("th") if "filename" in (cell.get("class") or "").split()]


def code_text(table: etree._Element, hides: _Hides) -> str:
    """The code of ``table`` without the numbers of its lines; empty if it is no table of code.

    Args:
        table: the table.
        hides: whether an element is not shown.
    """
    names = file_names(table)
    cells = [list(row.iterchildren("td", "th")) for row in table_rows(table)]
    rows = [row for row in cells if not (row and row[0] in names)]
    first = [cell for cell in (rows[0] if rows else []) if not _is_number(cell)]
    if len(first) != 1 or len(rows[0]) == 1 or not _is_code(first[0]):
        return ""
    codes = [[cell for cell in row if not _is_number(cell)] for row in rows]
    if any(len(code) != 1 for code in codes):
        return ""
    return "\n".join(preformatted_text(code[0], hides).strip("\n").rstrip() for code in codes)


def _is_code(cell: etree._Element) -> bool:
    names = cell.get("class", "")[:_NAMES_CHARACTERS_MAX].lower()
    return "code" in names or next(cell.iter("pre", "code"), None) is not None


def _is_number(cell: etree._Element) -> bool:
    """Whether ``cell`` has numbers of lines; repositories have them in attributes."""
    if cell.get("data-line-number"):
        text = _text(cell)
        return not text or text.isdecimal()
    return _is_named_number(cell)


def _is_named_number(element: etree._Element) -> bool:
    """Whether the class of ``element`` says that its digits are numbers of lines."""
    return _NUMBERS.search(element.get("class", "")[:_NAMES_CHARACTERS_MAX]) is not None and _text(element).isdecimal()


def _text(element: etree._Element) -> str:
    """The text of ``element`` without white space."""
    return "".join("".join(map(str, element.itertext())).split())
