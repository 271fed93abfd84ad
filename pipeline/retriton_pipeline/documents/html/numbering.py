"""The numbers of list items as readers see them."""

from __future__ import annotations

from lxml import etree

from retriton_pipeline.documents.html.elements import declarations
from retriton_pipeline.documents.html.style_sheets import LIST_STYLES
from retriton_pipeline.documents.numerals import ROMAN_MAX, roman

_DIGITS_MAX = 9
_STYLES = {"lower-alpha": "a", "lower-latin": "a", "upper-alpha": "A", "upper-latin": "A", "lower-roman": "i",
           "upper-roman": "I", "decimal": "1", "none": ""}  # fmt: skip


class ItemMarkers:
    """The markers of the items of a list, in order.

    Args:
        element: ``ol``, or a list without numbers.
        style: the value of ``list-style`` of the style sheets in the page.
    """

    def __init__(self, element: etree._Element, style: str = "") -> None:
        self._is_ordered = element.tag == "ol"
        self._step = -1 if element.get("reversed") is not None else 1
        items = sum(1 for _ in element.iterchildren("li")) if self._step < 0 else 1
        self._next = _integer(element.get("start"), items)
        own = " ".join(value for name, value in declarations(element) if name in LIST_STYLES)
        kinds = (_style_type(own), _style_type(style), element.get("type"), _class_type(element))
        self._type = next((kind for kind in kinds if kind is not None), "1")

    def marker(self, item: etree._Element) -> str:
        """The marker of the next item."""
        if not self._is_ordered:
            return "- "
        number = _integer(item.get("value"), self._next)
        self._next = number + self._step
        kind = item.get("type") or self._type
        return f"{numeral(number, kind)}. " if kind else "- "


def _class_type(element: etree._Element) -> str | None:
    """The numbers that docutils states by a class of the list."""
    names = (element.get("class") or "").split()
    return next((kind for name, kind in _STYLES.items() if name.replace("-", "") in names and kind), None)


def _style_type(style: str) -> str | None:
    values = style.replace("!", " ").split()
    return next((kind for name, kind in _STYLES.items() if name in values), None)


def _integer(text: str | None, default: int) -> int:
    digits = (text or "").strip()
    is_number = digits.removeprefix("-").isdecimal() and len(digits) <= _DIGITS_MAX
    return int(digits) if is_number else default


def numeral(number: int, kind: str) -> str:
    """``number`` as in a list of the type ``kind`` of HTML."""
    if kind in ("a", "A") and number > 0:
        numeral = _letters(number)
    elif kind in ("i", "I") and 0 < number <= ROMAN_MAX:
        numeral = roman(number)
    else:
        return str(number)
    return numeral.upper() if kind.isupper() else numeral


def _letters(number: int) -> str:
    """The letters a to z, then aa, ab and so on."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return letters
