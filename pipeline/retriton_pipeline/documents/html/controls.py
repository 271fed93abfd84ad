"""What the controls of HTML forms show."""

from __future__ import annotations

from lxml import etree

_BOXES = {"checkbox", "radio"}
_VALUES = {"", "text", "email", "tel", "url", "number", "date", "time", "datetime-local", "month", "week", "search"}


def input_text(element: etree._Element) -> str:
    """What an ``input`` element shows: its value, or whether it is checked."""
    kind = element.get("type", "").lower()
    if kind in _BOXES:
        return " ☐ " if element.get("checked") is None else " ☒ "
    return f" {element.get('value', '')} " if kind in _VALUES else ""


def is_shown_option(option: etree._Element) -> bool:
    """Whether ``option`` is chosen, or is in an open list.

    The first one is, if no other is; without a value, it only asks for a choice.
    """
    if option.get("selected") is not None:
        return True
    select = next(option.iterancestors("select"), None)
    if select is None:
        return False
    if select.get("multiple") is not None or select.get("size", "1") not in ("", "0", "1"):
        return True
    return (
        next(select.iter("option")) is option
        and option.get("value") != ""
        and all(other.get("selected") is None for other in select.iter("option"))
    )
