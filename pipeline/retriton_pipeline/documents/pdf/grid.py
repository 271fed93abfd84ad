"""The grid of a table that is drawn with rules."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from retriton_pipeline.documents.joining import joined
from retriton_pipeline.documents.tables import SPANNED

_REPEATED_CHARACTERS_MAX, _REPETITIONS_MAX = 200, 32  # of the text of a cell that spans others
Place = tuple[int, int]  # the row and the column in which a cell starts


@dataclass(frozen=True, eq=False)
class Grid:
    """The places of the cells of a table.

    Attributes:
        xs: the borders of the columns, from left to right, in points.
        ys: the borders of the rows, from top to bottom.
        places: for each row and column, the place of the cell that is there.
        turns: the quarter turns of the page after which these are its coordinates.
    """

    xs: list[float]
    ys: list[float]
    places: list[list[Place]]
    turns: int

    def place(self, x: float, y: float) -> Place | None:
        """The cell at a point; None if it is outside."""
        column = int(np.searchsorted(self.xs, x)) - 1
        row = int(np.searchsorted([-border for border in self.ys], -y)) - 1
        is_inside = 0 <= column < len(self.xs) - 1 and 0 <= row < len(self.ys) - 1
        return self.places[row][column] if is_inside else None

    def texts(self, cells: Sequence[tuple[Place, str]]) -> list[list[str]]:
        """The texts by row and column: that of a cell is repeated where the cell is, except across a whole row."""
        parts: defaultdict[Place, list[str]] = defaultdict(list)
        for place, text in cells:
            parts[place].append(text)
        texts = {place: reduce(joined, lines, "") for place, lines in parts.items()}
        spans = Counter(place for row in self.places for place in row)
        return [
            [self._text(texts, spans, number, column) for column in range(len(row))]
            for number, row in enumerate(self.places)
        ]

    def _text(self, texts: dict[Place, str], spans: Counter[Place], row: int, column: int) -> str:
        place = self.places[row][column]
        text, is_first = texts.get(place, ""), place == (row, column)
        if place[1] < column and (row < self.header_rows or len(set(self.places[row])) == 1):
            return SPANNED
        is_repeated = len(text) <= _REPEATED_CHARACTERS_MAX and spans[place] <= _REPETITIONS_MAX
        return text if is_first or is_repeated else ""

    @property
    def header_rows(self) -> int:
        """The number of rows of the header: several if there are names that span columns."""
        first = self.places[0]
        if len(set(first)) == len(first):
            return 1
        return next(
            (n for n, row in enumerate(self.places[1:], 1) if len({*row}) == len(row) and not {*row} & {*first}), 1
        )
