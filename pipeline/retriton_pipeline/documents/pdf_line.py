"""A line of a PDF page: its words, where they stand, and how they look."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

_CELL_GAP = 1.5  # of the size of the letters: wider than between words, also where lines are justified
_LIST_MARK = re.compile(r"[•●○◦▪■□–—*·➢\-\ufffd\uf0b7]|\(?\w{1,3}[.)]|§+ ?\d*")  # a gap after it makes no cell
_LEADERS = re.compile(r"(?:[.·…_] ?){5,}")


@dataclass(frozen=True)
class Word:
    """A word, or several that stand together; positions in points from the left edge of the page."""

    text: str
    left: float
    right: float


@dataclass(frozen=True)
class Line:
    """A line of text, as it is read: turned pages are turned back.

    Attributes:
        words: from left to right.
        bottom: where it stands, in points from the bottom of the page.
        top: the same, of its upper edge.
        size: of its letters.
        bold: whether they are.
        fixed: whether they have one width, as in code.
        turn: in which direction it runs, in quarter turns.
        hyphen: whether its last word goes on in the next line.
    """

    words: tuple[Word, ...]
    bottom: float
    top: float
    size: float
    bold: bool = False
    fixed: bool = False
    turn: int = 0
    hyphen: bool = False

    @cached_property
    def text(self) -> str:
        """All of it."""
        return _joined(self.words).text

    @cached_property
    def left(self) -> float:
        """Where it begins."""
        return self.words[0].left

    @cached_property
    def right(self) -> float:
        """Where it ends."""
        return max(word.right for word in self.words)

    @cached_property
    def cells(self) -> tuple[Word, ...]:
        """Its pieces with wide gaps between."""
        return tuple(map(_joined, self.split(_CELL_GAP)))

    def split(self, gap: float) -> list[tuple[Word, ...]]:
        """The words between gaps of more than ``gap`` sizes; the mark of a list stays with what it marks."""
        starts = [0]
        for index, (before, after) in enumerate(pairwise(self.words), 1):
            if after.left - before.right > gap * self.size and not (
                starts == [0] and _LIST_MARK.fullmatch(_joined(self.words[:index]).text)
            ):
                starts.append(index)
        return [self.words[start:end] for start, end in pairwise([*starts, len(self.words)])]


def _joined(words: tuple[Word, ...]) -> Word:
    text = _LEADERS.sub(" … ", " ".join(word.text for word in words)).strip()
    return Word(text, words[0].left, max(word.right for word in words))
