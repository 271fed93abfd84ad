"""Joins lines: without a space within the words of Chinese and Japanese, which have none between them."""

from __future__ import annotations

import re

_CHARACTERS = (  # Han, kana and their punctuation, but not Hangul
    "\u2e80-\u2fdf\u3000-\u30ff\u31c0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff01-\uff9f"
    "\U00020000-\U0003ffff"
)
WITHOUT_SPACES = re.compile(f"[{_CHARACTERS}]")
_BREAK = re.compile(rf"(?<=[{_CHARACTERS}])[ \t]*\n[ \t]*(?=[{_CHARACTERS}])")
_SENTENCE_ENDS = tuple("。！？…」』）：；")
_LINE_CHARACTERS_MIN = 12  # shorter lines are those of lists, addresses and poems


def joined(before: str, after: str) -> str:
    """The texts of two lines of a paragraph: with a space, except within the words of Chinese and Japanese."""
    return f"{before}{after}" if WITHOUT_SPACES.search(before[-1:]) and WITHOUT_SPACES.match(after) else (
        f"{before} {after}".strip())  # fmt: skip


def without_breaks(text: str) -> str:
    """``text``, whose line breaks have no meaning, without those within the words of Chinese and Japanese."""
    return text if text.isascii() else _BREAK.sub("", text)


def unwrapped(text: str) -> str:
    """A paragraph without the line breaks of long lines within a sentence of Chinese or Japanese."""
    if text.isascii() or not _BREAK.search(text):
        return text
    parts: list[str] = []
    is_wrapped = False
    for line in text.split("\n"):
        continues = is_wrapped and WITHOUT_SPACES.match(line.lstrip()) is not None
        parts += [line.lstrip()] if continues else ["\n", line]
        end = line.rstrip()
        is_wrapped = len(end) >= _LINE_CHARACTERS_MIN and WITHOUT_SPACES.match(end[-1]) is not None
        is_wrapped = is_wrapped and not end.endswith(_SENTENCE_ENDS)
    return "".join(parts[1:])
