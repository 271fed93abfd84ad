"""Tables that only put the numbers of lines beside code, as documentation and repositories on the web show it."""

from __future__ import annotations

import re

from lxml import etree

from retriton_pipeline.documents.html.grid import table_rows

_NUMBERS = re.compile(
    r"(?:^|[\s_-])(?:linenos?|lineno|line-?num(?:ber)?s?|ln-num(?:ber)?s?|blob-num|gutter|lntd?)(?:$|[\s_-])",
    re.IGNORECASE,
)
_NAMES_CHARACTERS_MAX = 1_000


def code_text(table: etree._Element) -> str:
    """The code of ``table`` without the numbers of its lines; empty if it is no table of code."""
    rows = [list(row.iterchildren("td", "th")) for row in table_rows(table)]
    first = [cell for cell in (rows[0] if rows else []) if not _is_number(cell)]
    if len(first) != 1 or len(rows[0]) == 1 or not _is_code(first[0]):
        return ""
    codes = [[cell for cell in row if not _is_number(cell)] for row in rows]
    return "\n".join(_text(code[0]).rstrip() for code in codes) if all(len(code) == 1 for code in codes) else ""


def _text(cell: etree._Element) -> str:
    return "".join(map(str, cell.itertext())).strip("\n")


def _is_code(cell: etree._Element) -> bool:
    names = cell.get("class", "")[:_NAMES_CHARACTERS_MAX].lower()
    return "code" in names or next(cell.iter("pre", "code"), None) is not None


def _is_number(cell: etree._Element) -> bool:
    """Whether ``cell`` has numbers of lines; repositories have them in attributes."""
    text = "".join(_text(cell).split())
    if cell.get("data-line-number"):
        return not text or text.isdecimal()
    return text.isdecimal() and _NUMBERS.search(cell.get("class", "")[:_NAMES_CHARACTERS_MAX]) is not None
