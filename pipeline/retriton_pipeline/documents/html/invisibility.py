"""Which declarations of styles make text invisible, or strike it."""

from __future__ import annotations

import re
from collections.abc import Iterable

_FAR = re.compile(r"-\d{3,}(?:\.\d*)?(?:px|em|rem|pt|%|vw)|-\d{4,}")
_ZERO = re.compile(r"0*(?:\.0*)?(?:px|em|rem|pt|%)?")
_CLIPPED = re.compile(r"rect\((?:[01](?:px)?[\s,]*){4}\)")
_ANIMATIONS = ("animation", "-webkit-animation", "transition")
_SIDES = ("left", "right", "top", "bottom")


def is_invisible(style: Iterable[tuple[str, str]], has_scripts: bool = False, is_leaf: bool = False) -> bool:
    """Whether an element with the declarations ``style`` is not shown.

    Args:
        style: the names and values, in lower case.
        has_scripts: whether the page has scripts, which often show what is transparent at first.
        is_leaf: whether the element has no others, which can have another font size.
    """
    values = dict(style)
    if any(name.endswith("display") and value.startswith("none") for name, value in values.items()):
        return True
    if values.get("visibility", "").startswith(("hidden", "collapse")):
        return True
    is_animated = has_scripts or any(name.startswith(_ANIMATIONS) for name in values)
    if not is_animated and _ZERO.fullmatch(_value(values, "opacity")):
        return True
    if is_leaf and _ZERO.fullmatch(_value(values, "font-size")):
        return True
    if values.get("position", "").startswith(("absolute", "fixed")):
        is_clipped = _CLIPPED.match(values.get("clip", "")) is not None
        return is_clipped or any(_FAR.match(values.get(side, "")) for side in _SIDES)
    return False


def is_struck(style: Iterable[tuple[str, str]]) -> bool:
    """Whether text with the declarations ``style`` is struck."""
    return any(name.startswith("text-decoration") and "line-through" in value for name, value in style)


def _value(values: dict[str, str], name: str) -> str:
    """The value of a property without the mark of importance; one that is no zero if it is not stated."""
    return values.get(name, "").partition("!")[0].strip() or "-"
