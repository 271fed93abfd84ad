"""What the lines of Markdown show outside of code: characters for references to them, and HTML without its tags."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from html.entities import html5

_RUN = re.compile(r"`+|~{3,}")  # around code
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[a-zA-Z][a-zA-Z\d]{1,31});")
_MARKS = "a|abbr|b|bdi|bdo|big|center|cite|dfn|em|font|i|ins|kbd|mark|samp|small|span|strong|sub|sup|tt|u|var"
_ATTRIBUTES = r"""(?:\s[^<>"'\n]{0,500}+(?:"[^"<\n]{0,2000}"|'[^'<\n]{0,2000}'|[^<>"'\n]{1,500}){0,50}+)?"""
_MARK = re.compile(rf"(?<!\\)<(/?)({_MARKS}){_ATTRIBUTES}>", re.IGNORECASE)
_IMAGE = re.compile(rf"(?<!\\)<img{_ATTRIBUTES}>", re.IGNORECASE)
_BREAK = re.compile(r"(?<!\\)<br ?/?>[ \t]*\n?", re.IGNORECASE)
_POWER = re.compile(r"(?<=\d)<sup>(?=[-−+]?\d)", re.IGNORECASE)
_HEADING_ATTRIBUTES = re.compile(r"(?<![ \t])[ \t]*\{[:#.][^{}\n]{0,200}\}[ \t]*\Z")


def shown_lines(text: str, line_break: str = " ") -> str:
    """``text`` as it is shown, in Markdown.

    Args:
        text: lines of Markdown.
        line_break: in place of the element ``br``.
    """
    if "<" not in text and "&" not in text:
        return text
    tags = [(match[1], match[2].lower()) for match in _MARK.finditer(text)]
    paired = {name for end, name in tags if end} & {name for end, name in tags if not end}

    def shown(part: str) -> str:
        part = _BREAK.sub(line_break, _IMAGE.sub("", _POWER.sub("^", part)))
        part = _MARK.sub(lambda match: "" if match[2].lower() in paired else match[0], part)
        return _REFERENCE.sub(_character, part)

    return changed_outside_code(text, shown)


def shown_heading(text: str) -> str:
    """A heading as `shown_lines`, without the attributes that some programs read from its end (``{#id}``)."""
    return _HEADING_ATTRIBUTES.sub("", shown_lines(text)).strip()


def changed_outside_code(text: str, change: Callable[[str], str]) -> str:
    """``text`` with ``change`` applied to all that is outside of code spans and fences."""
    return "".join(part if is_code else change(part) for is_code, part in _parts(text))


def _parts(text: str) -> Iterator[tuple[bool, str]]:
    """The parts of ``text`` in order, each with whether it is code."""
    runs = list(_RUN.finditer(text))
    last = {run[0]: run.start() for run in runs}
    start, opened = 0, ""
    for run in runs:
        if run[0] == opened:
            yield True, text[start : run.end()]
            start, opened = run.end(), ""
        elif not opened and last[run[0]] > run.start():
            yield False, text[start : run.start()]
            start, opened = run.start(), run[0]
    yield False, text[start:]


def _character(match: re.Match[str]) -> str:
    name = match[0][1:]
    character = (unescape(match[0]) if name.startswith("#") else html5.get(name, match[0])).replace("\u00a0", " ")
    return "\\|" if character == "|" else character  # which would begin a cell
