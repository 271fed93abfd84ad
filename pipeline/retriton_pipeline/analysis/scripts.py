"""Scripts that do not separate words: their texts are indexed as overlapping n-grams.

Word segmentation needs a dictionary for each language, and misses words that it lacks; n-grams find every word, and
rank as well (docs/log.md).
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

# Chinese, Japanese and Korean. A Korean word has its particles attached; bigrams find it with any of them.
_CJK = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\u30fc\u3006]"
# Thai, Lao, Khmer and Burmese: alphabets, whose words are longer.
_SOUTHEAST_ASIAN = r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
_RUN = regex.compile(rf"(?P<cjk>{_CJK}+)|(?P<asian>{_SOUTHEAST_ASIAN}+)|(?P<other>(?:(?!{_CJK}|{_SOUTHEAST_ASIAN}).)+)")
_CLUSTER = regex.compile(r"\X")
_BIGRAM, _TRIGRAM = 2, 3


def has_unsegmented(text: str) -> bool:
    """Whether ``text`` has characters of scripts that do not separate words."""
    return not text.isascii() and bool(_UNSEGMENTED.search(text))


def runs(word: str) -> Iterator[tuple[str, int]]:
    """The parts of ``word`` of one kind of script, each with the length of its n-grams; 0 for words of other scripts."""
    for match in _RUN.finditer(word):
        yield match[0], {"cjk": _BIGRAM, "asian": _TRIGRAM}.get(match.lastgroup or "", 0)


def index_grams(run: str, length: int) -> Iterator[str]:
    """All n-grams of ``run``, from one character to ``length``, so that queries shorter than ``length`` find them."""
    clusters = _CLUSTER.findall(run)
    for size in range(1, length + 1):
        yield from _grams(clusters, size)


def query_grams(run: str, length: int) -> Iterator[str]:
    """The n-grams of ``length`` characters; the whole ``run`` if it is shorter."""
    clusters = _CLUSTER.findall(run)
    yield from _grams(clusters, min(length, len(clusters)))


def _grams(clusters: list[str], size: int) -> Iterator[str]:
    for start in range(len(clusters) - size + 1):
        yield "".join(clusters[start : start + size])


_UNSEGMENTED = regex.compile(f"{_CJK}|{_SOUTHEAST_ASIAN}")
