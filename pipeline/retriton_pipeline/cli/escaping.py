r"""Makes foreign text safe for a terminal: names, documents and answers may hold escape sequences.

Control characters, and the characters that reorder a line, are written as ``\x1b`` or ``\u202e``. Letters of all
scripts and emoji are unchanged.
"""

from __future__ import annotations

import re

_CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_IN_LINES = re.compile(f"[{_CONTROLS}]")
_IN_A_LINE = re.compile(f"[{_CONTROLS}\t\n]")


def visible(text: str) -> str:
    """``text`` on one line, with its control characters as escapes."""
    return _IN_A_LINE.sub(_escape, text)


def visible_lines(text: str) -> str:
    """``text`` with its control characters as escapes, except line feeds and tabs."""
    return _IN_LINES.sub(_escape, text)


def visible_error(error: Exception) -> str:
    """The message of an error; further lines are indented, so that none reads as a message of its own."""
    return visible_lines(str(error)).replace("\n", "\n  ")


def visible_json(document: str) -> str:
    """A JSON document with its control characters as JSON's escapes."""
    return _IN_A_LINE.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape", "surrogatepass").decode("ascii")
