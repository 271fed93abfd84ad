"""The names that pages give to elements."""

from __future__ import annotations

from lxml import etree

_CHARACTERS_MAX = 4096  # that patterns search; more are not meant for style sheets


def class_names(element: etree._Element) -> str:
    """The classes of an element, as they are written, of a bounded length."""
    return element.get("class", "")[:_CHARACTERS_MAX]


def class_names_and_id(element: etree._Element) -> str:
    """The classes and the id of an element, separated by a space, of a bounded length."""
    return f"{class_names(element)} {element.get('id', '')}"[:_CHARACTERS_MAX]
