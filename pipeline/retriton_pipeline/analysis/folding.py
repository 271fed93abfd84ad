"""Maps the spellings of a word to one: compatibility forms, case, accents, and invisible characters."""

from __future__ import annotations

import re
import unicodedata

# Soft hyphens, zero-width characters, marks of direction, variation selectors; Arabic vowel points and elongation.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u0640\u064b-\u0652\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]"
)
# Accents of Latin and Greek letters. Those of other scripts distinguish letters, such as и and й, は and ば.
_ACCENTS = re.compile("(?<=[a-z\u00c0-\u024f\u0370-\u03ff])[\u0300-\u036f]+")
_LETTERS = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ё": "е"})


def folded(text: str) -> str:
    """``text`` in NFKC, case-folded, without accents and invisible characters."""
    if text.isascii():
        return text.lower()
    visible = _INVISIBLE.sub("", text)
    plain = unicodedata.normalize("NFKC", visible).casefold().translate(_LETTERS)
    return unicodedata.normalize("NFKC", _ACCENTS.sub("", unicodedata.normalize("NFD", plain)))
