"""Formulas of Office Open XML (OMML) as one line of text: x^2, a/b, √(x)."""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree

MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_OPERATORS = {"sub": "_", "lim": "_", "sup": "^", "den": "/"}
_ROWS = {"m": "; ", "mr": ", ", "eqArr": "; "}
_RAISED = ("sSup", "sSub", "sSubSup", "sup", "sub")  # also those of a sum, before its operand
_DEFAULT_NARY_OPERATOR = "∫"
_DEFAULT_ACCENT, _OVERLINE, _UNDERLINE = "\u0302", "\u0305", "\u0332"  # combining characters
_FALSE = ("0", "off", "false")


def formula_text(element: etree._Element) -> str:
    """The formula of ``element`` (``m:oMath`` or a part of it) on one line."""
    name = _name(element)
    if name == "t":
        return element.text or ""
    if name.endswith("Pr"):
        return _property(element, "chr", _DEFAULT_NARY_OPERATOR) if name == "naryPr" else ""
    if name in _ROWS:
        return _ROWS[name].join(formula_text(part) for part in element if _name(part) in ("mr", "e"))
    if name in _OPERATORS and len(element):
        return _OPERATORS[name] + _in_brackets(_children(element))
    if write := _WRITTEN.get(name):
        return write(element)
    return " " if name.endswith("}br") else _children(element)


def _fraction(element: etree._Element) -> str:
    if not _is_stack(element):
        return _children(element)
    return "; ".join(_part(element, name) for name in ("num", "den"))


def _is_stack(element: etree._Element) -> bool:
    """Whether ``element`` is a fraction without a bar: lines one above the other, or a binomial coefficient."""
    return _name(element) == "f" and _property(element.find(f"{MATH}fPr"), "type", "") == "noBar"


def _delimited(element: etree._Element) -> str:
    properties = element.find(f"{MATH}dPr")
    start, end = _property(properties, "begChr", "("), _property(properties, "endChr", ")")
    inner = list(element.iterchildren(f"{MATH}e"))
    operands = [part for one in inner for part in one if not _name(part).endswith("Pr")]
    if len(inner) == len(operands) == 1 and _is_stack(operands[0]) and start == "(":
        return f"binom({', '.join(_part(operands[0], name) for name in ('num', 'den'))})"
    return start + _property(properties, "sepChr", "|").join(map(_children, inner)) + end


def _radical(element: etree._Element) -> str:
    return f"{_in_brackets(_part(element, 'deg'))}√({_part(element, 'e')})"


def _accented(element: etree._Element) -> str:
    return _in_brackets(_part(element, "e")) + _property(element.find(f"{MATH}accPr"), "chr", _DEFAULT_ACCENT)


def _barred(element: etree._Element) -> str:
    is_above = _property(element.find(f"{MATH}barPr"), "pos", "bot") == "top"
    return _in_brackets(_part(element, "e")) + (_OVERLINE if is_above else _UNDERLINE)


def _phantom(element: etree._Element) -> str:
    is_shown = _property(element.find(f"{MATH}phantPr"), "show", "1") not in _FALSE
    return _children(element) if is_shown else ""


_WRITTEN: dict[str, Callable[[etree._Element], str]] = {
    "f": _fraction,
    "num": lambda element: _in_brackets(_children(element)),
    "d": _delimited,
    "rad": _radical,
    "fName": lambda element: f"{_children(element)} ",
    "acc": _accented,
    "bar": _barred,
    "phant": _phantom,
}


def _children(element: etree._Element) -> str:
    text, is_raised = "", False
    for child in element:
        part = formula_text(child) if isinstance(child.tag, str) else ""
        text += f" {part}" if is_raised and part[:1].isalnum() else part  # "x^k a" is not "x^ka"
        is_raised = _name(child) in _RAISED
    return text


def _part(element: etree._Element, name: str) -> str:
    return "".join(map(_children, element.iterchildren(f"{MATH}{name}")))


def _in_brackets(text: str) -> str:
    """``text`` in brackets, unless it is a single operand."""
    return text if len(text) < 2 or text.isalnum() else f"({text})"


def _property(properties: etree._Element | None, name: str, default: str) -> str:
    found = None if properties is None else properties.find(f"{MATH}{name}")
    return default if found is None else found.get(f"{MATH}val", "")


def _name(element: etree._Element) -> str:
    return str(element.tag).removeprefix(MATH)
