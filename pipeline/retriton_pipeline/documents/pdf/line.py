"""A line of text on a PDF page: its words, their positions and their typography."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from retriton_pipeline.documents.pdf.grid import Grid

_CELL_GAP = 1.5  # in font sizes: wider than the spaces between words, also in justified text
UNMAPPED_BULLET = r"(?:\ufffd|[\ue000-\uf8ff](?=\s|$))"  # of a font of symbols, which has codes of its own
BULLET = rf"(?:[•●○◦▪■□·➢‣⁃►▶☐☑☒✓✔✗✘]|{UNMAPPED_BULLET})"
_LIST_MARKER = re.compile(rf"{BULLET}|[–—*\-]|\(?\w{{1,3}}[.)]|§+ ?\d*")  # a gap after it separates no cells
_LEADERS = re.compile(r" ?(?:[.·…_] ?){5,}")
_ENTRY = re.compile(
    r"\S +… (?:[€$£¥]? ?\d\S{0,11}|[ivxlc]{1,6})(?: \S{1,3})?$"
)  # of a table of contents, or a price list


@dataclass(frozen=True)
class Word:
    """A word, or several adjacent ones.

    Attributes:
        text: its characters.
        left: its left edge, in points from the left edge of the page.
        right: its right edge.
    """

    text: str
    left: float
    right: float


@dataclass(frozen=True)
class Line:
    """A line of text, in the coordinates of a page that is rotated so that the text runs from left to right.

    Attributes:
        words: from left to right.
        bottom: its lower edge, in points from the bottom of the page.
        top: its upper edge.
        font_size: in points.
        bold: whether all of it is bold.
        monospaced: whether its font is monospaced.
        rotation: the direction of the text, in quarter turns.
        hyphenated: whether the last word continues on the next line.
        cell_gap: the width of the gaps between cells, in font sizes, if the line is a row of a table.
        grid: the table with rules in which the line is a part of a cell; None if it is in none.
    """

    words: tuple[Word, ...]
    bottom: float
    top: float
    font_size: float
    bold: bool = False
    monospaced: bool = False
    rotation: int = 0
    hyphenated: bool = False
    cell_gap: float = _CELL_GAP
    grid: Grid | None = None

    @cached_property
    def text(self) -> str:
        """The text of all words."""
        return _merged(self.words).text

    @cached_property
    def left(self) -> float:
        """The left edge."""
        return self.words[0].left

    @cached_property
    def right(self) -> float:
        """The right edge."""
        return max(word.right for word in self.words)

    @cached_property
    def cells(self) -> tuple[Word, ...]:
        """The parts between wide gaps: the cells, if the line is a row of a table."""
        return tuple(map(_merged, self.split(self.cell_gap)))

    @cached_property
    def is_entry(self) -> bool:
        """Whether it ends with dot leaders and a number or another short text."""
        return _ENTRY.search(self.text) is not None

    def split(self, gap: float) -> list[tuple[Word, ...]]:
        """The words, separated at gaps wider than ``gap`` font sizes, but not after a list marker."""
        starts = [0]
        for index, (before, after) in enumerate(pairwise(self.words), 1):
            if after.left - before.right > gap * self.font_size and not (
                starts == [0] and _LIST_MARKER.fullmatch(_merged(self.words[:index]).text)
            ):
                starts.append(index)
        return [self.words[start:end] for start, end in pairwise([*starts, len(self.words)])]


def _merged(words: tuple[Word, ...]) -> Word:
    text = _LEADERS.sub(" … ", " ".join(word.text for word in words)).strip()
    return Word(text, words[0].left, max(word.right for word in words))
