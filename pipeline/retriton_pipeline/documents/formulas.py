"""Formulas of office files as lines of text: x^2, a/b, √(x)."""

from __future__ import annotations

from lxml import etree

MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_SIGNS = {"sub": "_", "lim": "_", "sup": "^", "den": "/"}
_OPERATOR = "∫"  # of an n-ary object that names no other


def formula_text(element: etree._Element) -> str:
    """The formula that ``element`` (m:oMath, or a part of it) is, on one line."""
    name = _name(element)
    if name == "t":
        return element.text or ""
    if name.endswith("Pr"):
        return _property(element, "chr", _OPERATOR) if name == "naryPr" else ""
    if name in _SIGNS and len(element):
        return _SIGNS[name] + _grouped(_children(element))
    if name == "num":
        return _grouped(_children(element))
    if name == "rad":
        return f"√({_children(element)})"
    if name == "d":
        inner = ", ".join(formula_text(part) for part in element.iterchildren(f"{MATH}e"))
        return _property(element, "begChr", "(") + inner + _property(element, "endChr", ")")
    return _children(element)


def _children(element: etree._Element) -> str:
    return "".join(formula_text(child) for child in element if isinstance(child.tag, str))


def _grouped(text: str) -> str:
    return text if len(text) < 2 or text.isalnum() else f"({text})"


def _property(element: etree._Element, name: str, default: str) -> str:
    found = next(element.iter(f"{MATH}{name}"), None)
    return default if found is None else found.get(f"{MATH}val", "")


def _name(element: etree._Element) -> str:
    return str(element.tag).removeprefix(MATH)
