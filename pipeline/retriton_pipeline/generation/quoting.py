"""Quotes documents in prompts, so that no text of a document reads as the tag that opens or closes a passage.

A model may read a tag that is spelt with look-alike letters, or with characters between the letters that are not
displayed. Such spellings are recognised; only the bracket of a tag is replaced, and all other text is unchanged.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_TAG = "passage"
# Characters that look like <, and the entities of <. Guillemets and double brackets are left out: they quote words.
_OPENING = re.compile(
    "[<\u02c2\u1438\u16b2\u2039\u226e\u227a\u22d6\u2329\u276c\u276e\u2770\u27e8\u29fc\u3008\ufe3f\ufe64\uff1c]"
    "|&(?:lt|LT|#0*60|#[xX]0*3[cC]);?"
)
_LOOKALIKES = {
    letter: plain
    for plain, letters in {
        "p": "\u0440\u03c1\u03f1\u2ca3\u1d29\u1d18\u13e2\ua4d1\u146d\u2374",
        "a": "\u0430\u03b1\u0251\u1d00\u13aa\u237a\ua4ee\u15c5\u2c6d\u0252\u2200\u04d9",
        "s": "\u0455\ua731\u01bd\u13da\ua4e2\u0282\u0586\u017f\u054f",
        "g": "\u0261\u0581\u0262\u018d\u050d\u13c0\ua4d6\u1d83\u01e5",
        "e": "\u0435\u03b5\u0454\u212e\u04bd\uab32\u1d07\u13ac\ua4f0\u22ff\u025b\u0247\u0259",
        "/": "\u2044\u2215\u29f8\u2571\u3033\uff0f\\",
    }.items()
    for letter in letters
}
_NOT_SEEN = {"Cc", "Cf", "Cn", "Mn", "Me", "Zs", "Zl", "Zp"}  # categories
_BLANK_LETTERS = "\u115f\u1160\u3164\uffa0\u2800"


def quote(text: str) -> str:
    """Replaces the bracket of each tag that opens or closes a passage. Takes time linear in the length of ``text``."""
    parts: list[str] = []
    start = 0
    for opening in _OPENING.finditer(text):
        if _is_tag(text, opening.end()):
            parts += [text[start : opening.start()], "&lt;" if len(opening[0]) == 1 else f"&amp;{opening[0][1:]}"]
            start = opening.end()
    return "".join([*parts, text[start:]]) if parts else text


def quote_name(name: str) -> str:
    """A file name or a title as an attribute value: on one line, without double quotes and control characters."""
    line = "".join(letter if letter.isprintable() or unicodedata.category(letter) != "Cc" else " " for letter in name)
    return quote(" ".join(line.split()).replace('"', "'").replace("\uff02", "'"))


def _is_tag(text: str, place: int) -> bool:
    """Whether the text from ``place``, behind a bracket, reads as the name of the tag.

    Follows all readings at once: a character between two letters may be skipped, or be a letter itself. It stops at the
    next bracket at the latest, which is no part of a name.
    """
    reached = {0}  # letters of the name that were read
    for at in range(place, len(text)):
        letters, is_skipped = _reading(text[at])
        further = reached
        for letter in letters:
            further = {n + 1 for n in further if _TAG[n] == letter} | ({0} & further if letter == "/" else set())
            if len(_TAG) in further:
                return True
        reached = (further if letters else set()) | (reached if is_skipped else set())
        if not reached:
            return False
    return False


@lru_cache(maxsize=4096)
def _reading(character: str) -> tuple[str, bool]:
    """The letters that a character reads as, and whether it may be skipped."""
    if "\U000e0020" <= character <= "\U000e007e":  # tags: invisible copies of ASCII
        return chr(ord(character) - 0xE0000).casefold(), True
    if unicodedata.category(character) in _NOT_SEEN or character in _BLANK_LETTERS:
        return "", True
    plain = (letter for letter in unicodedata.normalize("NFKD", character) if unicodedata.category(letter) != "Mn")
    return "".join(_LOOKALIKES.get(letter, letter) for letter in "".join(plain).casefold()), False
