"""How a PDF is set: the size of its body text, the distance of its lines, the sizes of its headings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from retriton_pipeline.documents.pdf_line import Line

_HEADING_SIZE = 1.12  # of the body text
_HEADING_CHARACTERS_MAX = 160
_HEADING_LINES_MAX = 3
_LEVEL_MAX = 6
_PITCH = 1.2
_PITCH_MAX = 2.5
_WORD = re.compile(r"\w+(?:-\w+)*")


@dataclass(frozen=True)
class Style:
    """How a document is set.

    Attributes:
        body: the size of most of its text.
        pitch: the usual distance of its lines, in sizes.
        levels: of the headings, by their size.
        bold_level: of headings that are only bold; 0 if bold does not say that.
        words: all of them in lower case, compounds as one.
    """

    body: float
    pitch: float
    levels: dict[float, int]
    bold_level: int
    words: frozenset[str]

    @classmethod
    def of(cls, pages: Sequence[Sequence[Line]]) -> Style:
        """What the lines of all pages have in common."""
        lines = list(chain.from_iterable(pages))
        sizes: Counter[float] = Counter()
        for line in (line for line in lines if not line.turn):
            sizes[_rounded(line.size)] += len(line.text)
        body = max(sizes, key=lambda size: sizes[size], default=1.0)
        larger = sorted((size for size in sizes if size > _HEADING_SIZE * body), reverse=True)
        too_many = max(
            len(larger) - (_LEVEL_MAX - 1), 0
        )  # those of the cover: only the title's needs a level of its own
        levels = {size: max(level - too_many, min(level, 2)) for level, size in enumerate(larger, 1)}
        mostly_bold = sum(len(line.text) for line in lines if line.bold) > sizes.total() / 2
        bold_level = 0 if mostly_bold else min(len(larger) + 1, _LEVEL_MAX)
        words = frozenset(word for line in lines for word in _WORD.findall(line.text.lower()))
        return cls(body, _pitch(pages), levels, bold_level, words)

    def heading_level(self, lines: Sequence[Line], text: str) -> int:
        """The level of the heading that a paragraph is; 0 if it is none."""
        says_something = any(len(word) > 2 and word.isalpha() for word in text.split()) or _is_dense(text)
        upright = not any(line.turn for line in lines)
        if len(text) > _HEADING_CHARACTERS_MAX or len(lines) > _HEADING_LINES_MAX or not (says_something and upright):
            return 0
        if level := self.levels.get(_rounded(lines[0].size)):
            return level
        is_bold = all(line.bold for line in lines) and lines[0].size > 0.95 * self.body
        return self.bold_level if is_bold and not text.endswith((".", ",", ";")) else 0

    def joined(self, before: str, after: str) -> str:
        """A word that is broken between two lines, in one piece; a hyphen that belongs to it stays."""
        first, second = _WORD.findall(before), _WORD.match(after)
        if not first or not second:
            return f"{before}-{after}"
        whole, compound = f"{first[-1]}{second[0]}".lower(), f"{first[-1]}-{second[0]}".lower()
        keep = not second[0].islower() or (compound in self.words and whole not in self.words)
        return f"{before}-{after}" if keep else f"{before}{after}"


def _pitch(pages: Iterable[Sequence[Line]]) -> float:
    steps: Counter[float] = Counter()
    for lines in pages:
        for before, after in pairwise(lines):
            step = (before.bottom - after.bottom) / after.size
            if 0.5 < step < _PITCH_MAX and abs(before.size - after.size) < 0.1 * after.size:
                steps[round(step * 20) / 20] += len(after.text)
    return max(steps, key=lambda step: steps[step], default=_PITCH)


def _rounded(size: float) -> float:
    return round(size * 2) / 2


def _is_dense(text: str) -> bool:
    """Whether its script needs few letters: Chinese, Japanese, Korean."""
    return any(character >= "\u2e80" for character in text)
