"""Formulas in MathML as one line of text: x^2, a/b, √(x)."""

from __future__ import annotations

import re

from lxml import etree

from retriton_pipeline.documents.office.archive import local_name

_SKIPPED = {"annotation", "annotation-xml", "mphantom", "none", "mprescripts"}
_OPERATORS = {"msub": "_", "munder": "_", "msup": "^", "mover": "^", "mfrac": "/"}
_BOTH = {"msubsup", "munderover"}
_CHILDREN_MAX = 2  # of the elements of `_OPERATORS`
_LEVELS_MAX = 64
_IMAGE_CLASS = re.compile(r"(?:^|[\s_-])(?:math|tex|latex|equation|formula|emoji)(?:$|[\s_-])", re.IGNORECASE)
_CLASS_CHARACTERS_MAX = 1024


def mathml_text(element: etree._Element, level: int = 0) -> str:
    """The formula of ``element`` (``math`` or a part of it) on one line, without other notations of it."""
    name = local_name(element.tag).lower()
    if name in _SKIPPED or level > _LEVELS_MAX:
        return ""
    children = [child for child in element if isinstance(child.tag, str)]
    texts = [mathml_text(child, level + 1) for child in children]
    if name in _OPERATORS and len(texts) == _CHILDREN_MAX:
        base = _in_brackets(texts[0]) if name == "mfrac" else texts[0]
        return f"{base}{_OPERATORS[name]}{_in_brackets(texts[1])}"
    if name in _BOTH and len(texts) > _CHILDREN_MAX:
        return f"{texts[0]}_{_in_brackets(texts[1])}^{_in_brackets(texts[2])}"
    if name == "mroot" and len(texts) == _CHILDREN_MAX:
        return f"{_in_brackets(texts[1])}√({texts[0]})"
    if name == "msqrt":
        return f"√({''.join(texts)})"
    if name in ("mtable", "mtr"):
        return ("; " if name == "mtable" else ", ").join(texts)
    own = " ".join((element.text or "").split())
    return own + "".join(texts)


def is_drawn_formula(element: etree._Element) -> bool:
    """Whether ``element`` draws, for the eyes only, a formula that stands beside it in MathML."""
    if element.get("aria-hidden") != "true":
        return False
    beside = (element.getprevious(), element.getnext())
    return any(other is not None and next(other.iter("math"), None) is not None for other in beside)


def image_formula(element: etree._Element) -> str:
    """The text of an image of a formula or of an emoji; empty for other images."""
    text = element.get("alt", "").strip()
    return f" {text} " if text and _IMAGE_CLASS.search(element.get("class", "")[:_CLASS_CHARACTERS_MAX]) else ""


def _in_brackets(text: str) -> str:
    """``text`` in brackets, unless it is a single operand."""
    return text if len(text) < 2 or text.isalnum() else f"({text})"
