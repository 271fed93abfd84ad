"""Formulas of Office Open XML (OMML) as one line of text: x^2, a/b, √(x)."""

from __future__ import annotations

from lxml import etree

MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_OPERATORS = {"sub": "_", "lim": "_", "sup": "^", "den": "/"}
_ROWS = {"m": "; ", "mr": ", ", "eqArr": "; "}
_DEFAULT_NARY_OPERATOR = "∫"


def formula_text(element: etree._Element) -> str:
    """The formula of ``element`` (``m:oMath`` or a part of it) on one line."""
    name = _name(element)
    if name == "t":
        return element.text or ""
    if name.endswith("Pr"):
        return _property(element, "chr", _DEFAULT_NARY_OPERATOR) if name == "naryPr" else ""
    if name in _OPERATORS and len(element):
        return _OPERATORS[name] + _in_brackets(_children(element))
    if name == "num":
        return _in_brackets(_children(element))
    if name == "rad":
        degree = "".join(map(_children, element.iterchildren(f"{MATH}deg")))
        return f"{_in_brackets(degree)}√({''.join(map(_children, element.iterchildren(f'{MATH}e')))})"
    if name in _ROWS:
        return _ROWS[name].join(formula_text(part) for part in element if _name(part) in ("mr", "e"))
    if name == "fName":
        return f"{_children(element)} "
    if name == "d":
        inner = ", ".join(formula_text(part) for part in element.iterchildren(f"{MATH}e"))
        return _property(element, "begChr", "(") + inner + _property(element, "endChr", ")")
    return _children(element)


def _children(element: etree._Element) -> str:
    return "".join(formula_text(child) for child in element if isinstance(child.tag, str))


def _in_brackets(text: str) -> str:
    """``text`` in brackets, unless it is a single operand."""
    return text if len(text) < 2 or text.isalnum() else f"({text})"


def _property(element: etree._Element, name: str, default: str) -> str:
    found = next(element.iter(f"{MATH}{name}"), None)
    return default if found is None else found.get(f"{MATH}val", "")


def _name(element: etree._Element) -> str:
    return str(element.tag).removeprefix(MATH)
