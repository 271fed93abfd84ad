"""What is shown within a line in another way than its text: superscripts, and links one after the other."""

from __future__ import annotations

import re

from lxml import etree

_ORDINALS = {"st", "nd", "rd", "th", "er", "re", "ère", "e", "ème"}
_POWER = re.compile(r"[-−+]?\d")
_OPERAND = re.compile(r"[-−+]?\w+(?:[.,]\w+)*|\(.*\)")
_EXPONENT = re.compile(r"[-−+(]?\w")


def raised_text(raised: str, before: str, is_linked: bool) -> str:
    """The text of a superscript on the line: ``[1]`` for a note, ``^2`` for an exponent.

    Args:
        raised: its text.
        before: the character before it; empty at the start of a paragraph.
        is_linked: whether it is, or has, a link.
    """
    text = raised.strip()
    if text.isalnum() and is_linked:
        return f"[{text}]"
    if text.upper() == "TM":
        return "™"
    if before.isdecimal():
        is_exponent = _EXPONENT.match(text) and text.lower() not in _ORDINALS
        return raised if not is_exponent else f"^{raised}" if _OPERAND.fullmatch(text) else f"^({text})"
    return f"^{raised}" if before.isalpha() and _POWER.match(text) else raised


def follows_link(element: etree._Element) -> bool:
    """Whether ``element`` is a link directly after another one: pages show these apart, with margins."""
    before = element.getprevious() if element.tag == "a" and element.get("href") else None
    if before is None or before.tag != "a" or not before.get("href") or before.tail:
        return False
    ends = ("".join(map(str, link.itertext())) for link in (before, element))
    return all(text.isascii() and text.strip() == text and text[:1].isalnum() and text[-1:].isalnum() for text in ends)


def is_reference_to_note(element: etree._Element) -> bool:
    """Whether a link is the number of a note, as in books."""
    return element.tag == "a" and (element.get("epub:type") == "noteref" or element.get("role") == "doc-noteref")
