"""Scripts that do not separate words: their texts become overlapping n-grams.

Segmentation into words needs a dictionary for each language, and misses the words that it lacks. N-grams find every
word, rank as well in Chinese and Japanese, and better in Korean (docs/log.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import regex

# Chinese, Japanese and Korean. A Korean word has its particles attached; bigrams find it with any of them.
_CJK = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\u30fc\u3006]"
# Thai, Lao, Khmer and Burmese: alphabets, whose words are longer.
_SOUTHEAST_ASIAN = r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
_RUN = regex.compile(rf"(?P<cjk>{_CJK}+)|(?P<asian>{_SOUTHEAST_ASIAN}+)|(?P<other>(?:(?!{_CJK}|{_SOUTHEAST_ASIAN}).)+)")
_UNSEGMENTED = regex.compile(f"{_CJK}|{_SOUTHEAST_ASIAN}")
_CHARACTER = regex.compile(r"\X")
_SIZES = {"cjk": (1, 2), "asian": (2, 3), "other": ()}


def has_unsegmented(text: str) -> bool:
    """Whether ``text`` has characters of scripts that do not separate words."""
    return not text.isascii() and bool(_UNSEGMENTED.search(text))


def runs(word: str) -> Iterator[tuple[str, Sequence[int]]]:
    """The parts of ``word``, each in one kind of script, with the sizes of its n-grams; none if it separates words."""
    for match in _RUN.finditer(word):
        yield match[0], _SIZES[match.lastgroup or "other"]


def grams(run: str, sizes: Sequence[int]) -> Iterator[str]:
    """The overlapping n-grams of ``run`` of every size in ``sizes``, in characters as readers count them.

    A run that is shorter than all sizes is one n-gram.
    """
    characters = _CHARACTER.findall(run)
    for size in sizes if len(characters) >= min(sizes) else (len(characters),):
        for start in range(len(characters) - size + 1):
            yield "".join(characters[start : start + size])
