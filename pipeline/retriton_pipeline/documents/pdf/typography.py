"""The typography of a PDF: font size of body text, line spacing, and the font sizes of headings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from retriton_pipeline.documents.pdf.line import Line

_HEADING_SIZE = 1.12  # in sizes of the body text
_HEADING_CHARACTERS_MAX = 160
_PROSE_SHARE_MIN = 0.2
_HEADING_LINES_MAX = 3
_LEVEL_MAX = 6
_WORD_CHARACTERS_MAX = 500
_LINE_SPACING = 1.2
_LINE_SPACING_MAX = 2.5
_WORD = re.compile(r"\w+(?:-\w+)*")


@dataclass(frozen=True)
class Typography:
    """What is typical of a document.

    Attributes:
        body_size: the font size of most of its text, in points.
        line_spacing: the usual distance of two lines, in font sizes.
        heading_levels: the level of headings by font size.
        bold_level: the level of headings that are only bold; 0 if most of the text is bold.
        vocabulary: all words in lower case, with hyphenated compounds as one word.
    """

    body_size: float
    line_spacing: float
    heading_levels: dict[float, int]
    bold_level: int
    vocabulary: frozenset[str]

    @classmethod
    def of(cls, pages: Sequence[Sequence[Line]]) -> Typography:
        """The typography of all lines."""
        lines = list(chain.from_iterable(pages))
        sizes: Counter[float] = Counter()
        prose: Counter[float] = Counter()
        for line in (line for line in lines if not line.rotation):
            sizes[_rounded(line.font_size)] += len(line.text)
            prose[_rounded(line.font_size)] += 0 if line.monospaced else len(line.text)
        typical = prose if prose.total() > _PROSE_SHARE_MIN * sizes.total() else sizes  # others are listings
        body_size = max(typical, key=lambda size: typical[size], default=1.0)
        larger = sorted((size for size in sizes if size > _HEADING_SIZE * body_size), reverse=True)
        # With too many sizes, those after the largest (the title) share a level: they are from the cover.
        excess = max(len(larger) - (_LEVEL_MAX - 1), 0)
        levels = {size: max(level - excess, min(level, 2)) for level, size in enumerate(larger, 1)}
        mostly_bold = sum(len(line.text) for line in lines if line.bold) > sizes.total() / 2
        bold_level = 0 if mostly_bold else min(len(larger) + 1, _LEVEL_MAX)
        vocabulary = frozenset(word for line in lines for word in _WORD.findall(line.text.lower()))
        return cls(body_size, _line_spacing(pages), levels, bold_level, vocabulary)

    def heading_level(self, lines: Sequence[Line], text: str) -> int:
        """The level of the heading with ``lines``; 0 if they are not a heading."""
        has_words = any(len(word) > 2 and word.isalpha() for word in text.split()) or _is_logographic(text)
        is_upright = not any(line.rotation for line in lines)
        is_short = len(text) <= _HEADING_CHARACTERS_MAX and len(lines) <= _HEADING_LINES_MAX
        if not (is_short and has_words and is_upright):
            return 0
        if level := self.heading_levels.get(_rounded(lines[0].font_size)):
            return level
        is_bold = all(line.bold for line in lines) and lines[0].font_size > 0.95 * self.body_size
        return self.bold_level if is_bold and not text.endswith((".", ",", ";")) else 0

    def dehyphenated(self, before: str, after: str) -> str:
        """The texts of two lines that a word is broken between, joined; hyphens of compounds are kept."""
        first, second = _WORD.findall(before[-_WORD_CHARACTERS_MAX:]), _WORD.match(after)
        if not first or not second:
            return f"{before}-{after}"
        word, compound = f"{first[-1]}{second[0]}".lower(), f"{first[-1]}-{second[0]}".lower()
        keep = not second[0].islower() or (compound in self.vocabulary and word not in self.vocabulary)
        return f"{before}-{after}" if keep else f"{before}{after}"


def _line_spacing(pages: Iterable[Sequence[Line]]) -> float:
    spacings: Counter[float] = Counter()
    for lines in pages:
        for before, after in pairwise(lines):
            spacing = (before.bottom - after.bottom) / after.font_size
            same_size = abs(before.font_size - after.font_size) < 0.1 * after.font_size
            if 0.5 < spacing < _LINE_SPACING_MAX and same_size:
                spacings[round(spacing * 20) / 20] += len(after.text)
    return max(spacings, key=lambda spacing: spacings[spacing], default=_LINE_SPACING)


def _rounded(size: float) -> float:
    return round(size * 2) / 2


def _is_logographic(text: str) -> bool:
    """Whether ``text`` has characters of Chinese, Japanese or Korean, whose words are short."""
    return any(character >= "\u2e80" for character in text)
