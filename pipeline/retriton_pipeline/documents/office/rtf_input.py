r"""Prepares RTF for striprtf, whose expressions for links and fonts take more than linear time.

Line breaks in RTF have no meaning, but its expressions do not match across them.
"""

from __future__ import annotations

import re

_FIELD = re.compile(r"\{\\field\{\s*\\\*\\fldinst\{", re.IGNORECASE)
_FIELD_START = re.compile(r"(\\field)(?=\{)", re.IGNORECASE)
_FIELD_CHARACTERS_MAX = 4096
_KEYWORD_AND_SPACE = re.compile(r"HYPERLINK\s", re.IGNORECASE)
_FONT = re.compile(r"(?=\\f\d)")
_FONT_TABLE = "\\fonttbl"


def prepared(text: str) -> str:
    """``text`` with the targets of its links after them, as ``("target")``, and on lines that limit later searches."""
    return _with_short_font_lines(_FIELD_START.sub(r"\1\n", _with_link_targets(text)))


def _with_link_targets(text: str) -> str:
    parts, end = [], 0
    for field in _FIELD.finditer(text):
        if field.start() >= end and (link := _link(text, field.end())):
            link_end, target = link
            parts += [text[end:link_end], f"({target})"]
            end = link_end
    return "".join([*parts, text[end:]])


def _link(text: str, start: int) -> tuple[int, str] | None:
    r"""The end and the target of a link: ``HYPERLINK "target"}}{\fldrslt text}}`` after ``start``."""
    stop = text.find("\n", start, start + _FIELD_CHARACTERS_MAX)
    window = text[start : stop if stop >= 0 else start + _FIELD_CHARACTERS_MAX]
    keyword = _KEYWORD_AND_SPACE.search(window)
    if keyword is None or window[keyword.end() : keyword.end() + 1] != '"':
        return None
    target_end = window.find('"}}', keyword.end() + 1)
    result = target_end + 3 + len(window[target_end + 3 :]) - len(window[target_end + 3 :].lstrip())
    if target_end < 0 or window[result : result + 1] != "{":
        return None
    words = re.search(r"\s", window[result:])
    end = window.find("}}", result + words.end()) if words else -1
    if end < 0:
        return None
    end += 3 if window[end + 2 : end + 3] == "}" else 2
    return start + end, window[keyword.end() : target_end + 1]


def _with_short_font_lines(text: str) -> str:
    """``text`` with each font of the font table on a line, and with an end of the last font."""
    start = text.find(_FONT_TABLE)
    if start < 0:
        return text
    end = _group_end(text, start)
    return "".join([text[:start], _FONT.sub("\n", text[start:end]), ";", text[end:]])


def _group_end(text: str, start: int) -> int:
    """The place of the bracket that closes the group which contains ``start``, or the end."""
    depth = 1
    for brace in re.finditer(r"[{}]", text[start:]):
        depth += 1 if brace[0] == "{" else -1
        if not depth:
            return start + brace.start()
    return len(text)
