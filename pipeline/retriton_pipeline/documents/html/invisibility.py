"""Which declarations of styles make text invisible, or strike it."""

from __future__ import annotations

import re
from collections.abc import Iterable

_FAR = re.compile(r"-\d{3,}(?:\.\d*)?(?:px|em|rem|pt|%|vw)|-\d{4,}")
_ZERO = re.compile(r"0*(?:\.0*)?(?:px|em|rem|pt|%)?")
_TINY = re.compile(rf"{_ZERO.pattern}|1(?:px|pt)")
_CLIPPED = re.compile(r"rect\((?:[01](?:px)?[\s,]*){4}\)")
_CLIPPED_PATH = re.compile(r"inset\((?:50|100)%\s*\)")
_COLOUR = re.compile(r"#(?:[\da-f]{3}){1,2}|rgb\([\d\s,]+\)|white|black")
_NO_SCALE = re.compile(r"scale[xy]?\(\s*0\s*[,)]")
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
    if not values:
        return False
    if any(name.endswith("display") and value.startswith("none") for name, value in values.items()):
        return True
    if values.get("visibility", "").startswith(("hidden", "collapse")) or values.get("content-visibility") == "hidden":
        return True
    is_animated = has_scripts or any(name.startswith(_ANIMATIONS) for name in values)
    if not is_animated and _is_without_size(values):
        return True
    if is_leaf and (_TINY.fullmatch(_value(values, "font-size")) or _is_in_its_background(values)):
        return True
    if _CLIPPED_PATH.match(values.get("clip-path", "")) or _FAR.match(values.get("text-indent", "")):
        return True
    if values.get("position", "").startswith(("absolute", "fixed")):
        is_clipped = _CLIPPED.match(values.get("clip", "")) is not None
        return is_clipped or any(_FAR.match(values.get(side, "")) for side in _SIDES)
    return False


def _is_without_size(values: dict[str, str]) -> bool:
    """Whether an element is transparent or has no height; with padding, it is the frame of a film or picture."""
    if _ZERO.fullmatch(_value(values, "opacity")) or _NO_SCALE.search(values.get("transform", "")):
        return True
    is_flat = any(_ZERO.fullmatch(_value(values, name)) for name in ("height", "max-height"))
    return (
        is_flat and _value(values, "overflow") == "hidden" and not any(name.startswith("padding-") for name in values)
    )


def _is_in_its_background(values: dict[str, str]) -> bool:
    backgrounds = (_value(values, name) for name in ("background", "background-color"))
    colour = _value(values, "color")
    return _COLOUR.fullmatch(colour) is not None and colour in backgrounds


def is_struck(style: Iterable[tuple[str, str]]) -> bool:
    """Whether text with the declarations ``style`` is struck."""
    return any(name.startswith("text-decoration") and "line-through" in value for name, value in style)


def _value(values: dict[str, str], name: str) -> str:
    """The value of a property without the mark of importance; one that is no zero if it is not stated."""
    return values.get(name, "").partition("!")[0].strip() or "-"
