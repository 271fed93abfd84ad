"""Splits texts into sentences, lines, or groups of words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from retriton_pipeline.tokens import TokenCounter

_SENTENCE = re.compile(r"\s*.*?(?:(?<![.!?])[.!?]++(?=\s+[^\sa-z])|[。！？]|\Z)", re.DOTALL)
_WINDOW_CHARACTERS_MAX = 100_000


def split_text(text: str, verbatim: bool, counter: TokenCounter, tokens_max: int) -> Iterator[str]:
    """The lines of a verbatim ``text``, or its sentences; those of more than ``tokens_max`` tokens between words.

    Concatenated, the results are ``text``, except for white space at its end.
    """
    for window in _windows(text):
        for part in window.splitlines(keepends=True) if verbatim else _SENTENCE.findall(window):
            if not part.strip():
                continue
            if counter.fits(part, tokens_max):
                yield part
            else:
                yield from counter.split(part, tokens_max)


def _windows(text: str) -> Iterator[str]:
    """Consecutive ranges of ``text`` that end at white space, if there is any, to limit memory for large texts."""
    start = 0
    while len(text) - start > _WINDOW_CHARACTERS_MAX:
        end = start + _WINDOW_CHARACTERS_MAX
        spaces = (text.rfind(space, start + _WINDOW_CHARACTERS_MAX // 2, end) for space in "\n ")
        cut = next((place for place in spaces if place > 0), end)
        yield text[start:cut]
        start = cut
    yield text[start:]
