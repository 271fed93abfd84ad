"""The examples of the documentation, and whether answers look as it says."""

from __future__ import annotations

import re
from typing import Any

from tests.conftest import ROOT

_BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: str = "http.md") -> list[tuple[str, str]]:
    """The language and text of each fenced block of a page in docs/."""
    text = (ROOT / "docs" / page).read_text()
    return [(match["language"], match["text"]) for match in _BLOCK.finditer(text)]


def is_like(documented: Any, answered: Any) -> bool:
    """Whether both have the same fields, of the same kinds; an empty object or null may be anything."""
    if documented in (None, {}) or answered is None:
        return True
    if isinstance(documented, dict):
        return (
            isinstance(answered, dict)
            and set(documented) == set(answered)
            and all(is_like(value, answered[name]) for name, value in documented.items())
        )
    if isinstance(documented, list):
        return isinstance(answered, list) and bool(answered) and is_like(documented[0], answered[0])
    return _kind(documented) is _kind(answered)


def _kind(value: Any) -> type:
    return float if type(value) is int else type(value)
