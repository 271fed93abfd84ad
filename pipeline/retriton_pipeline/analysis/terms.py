"""Texts to terms.

| text | terms |
| --- | --- |
| ``Zürich`` | zurich |
| ``well-known``, ``AB-1234/5`` | their parts, and the parts joined: wellknown, ab12345 |
| ``XR500`` | xr500, xr, 500 |
| ``12 mm``, ``12mm`` | 12, mm, 12mm |
| ``C++``, ``C#``, ``.NET`` | c and c++, c and c#, net and .net |
| ``東京都`` | 東, 京, 都, 東京, 京都 |

All terms of a word are indexed and searched, so that its spellings find each other, and the same one most.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import regex

from retriton_pipeline.analysis.folding import folded
from retriton_pipeline.analysis.scripts import grams, has_unsegmented, runs

_JOINED_CHARACTERS_MAX = 64
_SEGMENTS_MAX = 4  # of letters and of digits in a word; hashes have more
_WORD_CHARACTERS_MAX = 128
_UNITS = (
    r"[pnuμmcdhkgt]?(?:m[23]?|g|l|a|v|w|s|b|hz|pa|bar|ohm|mol)|kwh|[kmgt]i?b(?:ps)?|rpm|psi|dpi|min|h|ft|lb|oz"
    r"|inch|%|°?[cfk]"
)
_LETTERS_AND_DIGITS = re.compile(r"[0-9]+|[a-z]+")


def _compound(word: str) -> str:
    """The pattern of words that are joined by single characters, for a class of the characters of words."""
    joint = r"(?:[-\u2010'\u2019./_:&@\\]|(?<=\d),(?=\d))"
    return (
        rf"(?P<dot>(?<![\w.)\]])\.(?=[^\W\d]))?(?P<body>{word}+(?:{joint}{word}+)*)"
        rf"(?:(?P<sign>\+\+|[+#](?!\w))|(?:(?<=\d) ?(?P<unit>{_UNITS})(?!\w)))?"
    )


_ASCII_COMPOUND = re.compile(_compound("[a-z0-9]"))
_COMPOUND = regex.compile(_compound(r"[\p{L}\p{N}\p{M}]"))
_SEPARATORS = regex.compile(r"[^\p{L}\p{N}\p{M}]+")


def terms(text: str) -> Iterator[str]:
    """The terms of a stored text or a query, in its order, repeated as often as they occur."""
    plain = folded(text)
    compounds = (_ASCII_COMPOUND if plain.isascii() else _COMPOUND).finditer(plain)
    for compound in compounds:
        body = compound["body"]
        if compound.end() - compound.start() == len(body) and body.isascii() and body.isalpha():  # most are plain words
            yield body[:_WORD_CHARACTERS_MAX]
        else:
            yield from _compound_terms(compound)


def _compound_terms(compound: Any) -> Iterator[str]:
    words = _SEPARATORS.split(compound["body"])
    joined = "".join(words)
    for word in words:
        for run, sizes in runs(word) if has_unsegmented(word) else [(word, ())]:
            yield from grams(run, sizes) if sizes else _word_terms(run)
    if len(words) > 1 and len(joined) <= _JOINED_CHARACTERS_MAX and not has_unsegmented(joined):
        yield joined
    if compound["dot"]:
        yield f".{words[0][:_WORD_CHARACTERS_MAX]}"
    if sign := compound["sign"]:
        yield words[-1][:_WORD_CHARACTERS_MAX] + sign
    if unit := (compound["unit"] or "").lstrip("°"):
        yield joined[:_WORD_CHARACTERS_MAX] + unit
        if unit.isalnum():
            yield unit


def _word_terms(word: str) -> Iterator[str]:
    yield word[:_WORD_CHARACTERS_MAX]
    if word.isascii() and not word.isalpha():
        segments = _LETTERS_AND_DIGITS.findall(word)
        if 1 < len(segments) <= _SEGMENTS_MAX:
            yield from segments
