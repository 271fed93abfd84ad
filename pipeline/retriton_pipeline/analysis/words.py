"""Texts to terms.

| text | terms |
| --- | --- |
| ``Zürich`` | zurich |
| ``well-known`` | well, known |
| ``e-mail`` | e, mail, email: a first part of one or two letters is also written without the hyphen |
| ``H1N1``, ``COVID-19`` | h1n1; covid, 19 |
| ``AB-1234/5``, ``AB1234/5`` | ab, 1234, 5, ab12345: with three digits or more, the whole is found, too |
| ``12 mm``, ``12mm`` | 12, mm, 12mm |
| ``C++``, ``C#``, ``.NET`` | c++, c#, net and .net |
| ``東京都`` | 東, 京, 都, 東京, 京都 |

Stored texts and queries have the same terms. More terms for a word would give it more weight than other words of a
query, which costs accuracy (docs/log.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import regex

from retriton_pipeline.analysis.folding import folded
from retriton_pipeline.analysis.scripts import grams, has_unsegmented, runs

_PREFIX_LETTERS_MAX = 2
_DIGITS_MIN = 3  # of a compound that is also found as a whole; most names with a number, such as COVID-19, have fewer
_JOINED_CHARACTERS_MAX = 64
_SEGMENTS_MAX = 4  # of letters and of digits in a word; hashes have more, and stay whole
_WORD_CHARACTERS_MAX = 128
_UNIT = (
    r"[pnuμmcdhkgt]?(?:m[23]?|g|l|a|v|w|s|b|hz|pa|bar|ohm|mol)|kwh|[kmgt]i?b(?:ps)?|rpm|psi|dpi|min|h|ft|lb|oz|inch"
    r"|%|°?[cfk]"
)
_SEGMENT = re.compile(r"[0-9]+|[a-z]+")
_MEASURE = re.compile(rf"[0-9]+(?:{_UNIT})")


def _compound(word: str) -> str:
    """The pattern of words joined by single characters, and a sign or unit after them; ``word`` is one character."""
    joint = r"(?:[-\u2010'\u2019./_:&@\\]|(?<=\d),(?=\d))"
    return (
        rf"(?P<dot>(?<![\w.)\]])\.(?=[^\W\d]))?(?P<body>{word}+(?:{joint}{word}+)*)"
        rf"(?:(?P<sign>\+\+|[+#](?!\w))|(?:(?<=\d) ?(?P<unit>{_UNIT})(?!\w)))?"
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
    sign = compound["sign"] or ""
    parts = [part for word in words[:-1] for part in _parts(word)]
    *last, end = _parts(words[-1])
    yield from (*parts, *last, end + sign)
    if compound["dot"]:
        yield f".{words[0][:_WORD_CHARACTERS_MAX]}"
    unit = (compound["unit"] or "").lstrip("°")
    if unit.isalnum():
        yield unit
    joined = "".join(words)
    if len(joined) <= _JOINED_CHARACTERS_MAX and joined.isascii() and (unit or _is_joined(words, joined)):
        yield joined + unit


def _is_joined(words: list[str], joined: str) -> bool:
    """Whether a compound is found as a whole, too."""
    if joined.isalpha():
        return len(words) > 1 and len(words[0]) <= _PREFIX_LETTERS_MAX
    if _MEASURE.fullmatch(joined):
        return True
    is_one_number = len(words) == 1 and joined.isdigit()
    return not is_one_number and _digits(joined) >= _DIGITS_MIN and len(_SEGMENT.findall(joined)) <= 8


def _parts(word: str) -> list[str]:
    """The letters and the digits of a word apart, and the n-grams of scripts that do not separate words."""
    if has_unsegmented(word):
        return [part for run, sizes in runs(word) for part in (grams(run, sizes) if sizes else _parts(run))]
    if _is_split(word) and 1 < len(segments := _SEGMENT.findall(word)) <= _SEGMENTS_MAX:
        return segments
    return [word[:_WORD_CHARACTERS_MAX]]


def _is_split(word: str) -> bool:
    """Whether letters and digits are separate terms: in part numbers and measures, not in names such as H1N1."""
    return word.isascii() and (_digits(word) >= _DIGITS_MIN or bool(_MEASURE.fullmatch(word)))


def _digits(word: str) -> int:
    return sum(map(str.isdigit, word))
