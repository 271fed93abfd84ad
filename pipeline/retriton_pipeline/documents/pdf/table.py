"""A table on a PDF page, built line by line."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import pairwise
from typing import ClassVar

from retriton_pipeline.documents.joining import joined
from retriton_pipeline.documents.pdf.line import Line, Word

# In font sizes:
_ROW_DISTANCE_MAX = 3.5
_CELL_LINE_DISTANCE_MAX = 1.4  # between two lines of a cell
_HEADER_GAP = 0.6  # between column names, which may fill their columns
_HEIGHT_TOLERANCE = 0.3

_FONT_SIZE_CHANGE_MAX = 0.15
_MULTI_CELL_ROWS_MIN = 2
_CELLS_IF_CODE_MIN, _ROWS_IF_CODE_MIN = 3, 3
_ROW_SPACING = 1.25  # of the rows below a header, in distances of its lines
_HEADER_LINES_MAX = 6
_ROWS_BELOW_MIN = 3
_NUMBER = re.compile(r"[^\w\n]*\d[\W\d]*")
_COLUMNS_MAX = 64
_CELLS_BESIDE_MERGED_MIN = 3  # of a row with merged cells; a row of fewer is a heading or prose
_CELLS_IN_ORDER_MIN = 3
_CELL_CHARACTERS_MAX = 4000  # to which a further line is added
_PROSE_CELL_CHARACTERS_MIN = 25  # columns with longer cells are columns of the page, not of a table


@dataclass
class Table:
    """Rows with common columns.

    Attributes:
        lines: the lines that were added.
        columns: the left and right edge of each column, in points.
        rows: the cells of each row.
        header_rows: the number of rows of the header; 0 if it is not known.
    """

    lines: list[Line] = field(default_factory=list)
    columns: list[tuple[float, float]] = field(default_factory=list)
    rows: list[list[Word]] = field(default_factory=list)
    header_rows: ClassVar = 0
    _row_bottoms: list[float] = field(default_factory=list)
    _lowest: float = math.inf

    def add(self, line: Line) -> bool:
        """Adds ``line`` and returns whether it fits: each cell overlaps at most one column, and no two the same."""
        if not self._fits(line.cells) or len(self.columns) + len(line.cells) > 2 * _COLUMNS_MAX:
            return False
        beside = bool(self.rows) and self._is_beside(line)
        if self.rows and not beside and not self._follows(line):
            return False
        if beside:
            self.rows[-1] += line.cells
        elif self._continues_cell(line):
            self._append_to_cell(line.cells[0])
        else:
            self.rows.append(list(line.cells))
            self._row_bottoms.append(line.bottom)
        self._widen(line.cells)
        self.lines.append(line)
        self._lowest = min(self._lowest, line.bottom)
        return True

    def add_header(self, line: Line) -> bool:
        """Inserts ``line`` as the first row, if it has a name for each column, and returns whether it has."""
        cells = [replace(words[0], text=" ".join(word.text for word in words), right=words[-1].right)
                 for words in line.split(_HEADER_GAP)]  # fmt: skip
        distance = line.bottom - self.lines[0].bottom
        is_above = 0 < distance < _ROW_DISTANCE_MAX * line.font_size
        if not is_above or len(cells) < len(self.columns) or not self._fits(cells):
            return False
        self.rows.insert(0, cells)
        self._row_bottoms.insert(0, line.bottom)
        self._widen(cells)
        self.lines.insert(0, line)
        return True

    def grid(self) -> list[list[str]]:
        """The texts by row and column."""
        grid: list[list[str]] = []
        for row in self.rows:
            texts: list[list[str]] = [[] for _ in self.columns]
            is_complete = len(row) == len(self.columns)
            for place, cell in enumerate(sorted(row, key=lambda cell: cell.left)):
                columns = self._columns_of(cell)  # several for merged cells
                for column in [place] if is_complete and place in columns else columns:
                    texts[column].append(cell.text)
            grid.append([reduce(joined, cell, "") for cell in texts])
        height = self._header_height(grid)
        return [[reduce(joined, filter(None, cells), "") for cells in zip(*grid[:height], strict=True)], *grid[height:]]

    def _header_height(self, grid: list[list[str]]) -> int:
        """The number of rows that are the lines of the column names.

        They are closer to each other than the other rows, or have no name in the first column, or lack some names above
        rows of numbers.
        """
        size = self.lines[0].font_size
        distances = [above - below for above, below in pairwise(self._row_bottoms)]
        height = 1
        while (
            height < min(_HEADER_LINES_MAX, len(grid) - 1)
            and distances[height - 1] < _CELL_LINE_DISTANCE_MAX * size
            and not any(_NUMBER.fullmatch(cell) for cell in grid[height])
        ):
            height += 1
        others = min(distances[height - 1 :], default=0.0)
        are_closer = len(grid) - height >= _ROWS_BELOW_MIN and others > _ROW_SPACING * max(
            distances[: height - 1], default=others
        )
        if are_closer:
            return height
        unnamed = next((n for n in range(1, height) if grid[n][0]), height)
        return max(unnamed, self._wrapped_height(grid, height))

    def _wrapped_height(self, grid: list[list[str]], height_max: int) -> int:
        """The number of rows with names, of which some are too long for one line, above rows of numbers."""
        height = 1
        while height < height_max and 1 < sum(map(bool, grid[height])) < len(self.columns):
            height += 1
        rows = grid[height:]
        return height if len(rows) >= _ROWS_BELOW_MIN and all(map(_is_mostly_numbers, rows)) else 1

    @property
    def is_table(self) -> bool:
        """Whether enough rows have several cells; more are needed if it may be code, which is often aligned."""
        is_code = all(line.monospaced for line in self.lines)
        cells, rows = (_CELLS_IF_CODE_MIN, _ROWS_IF_CODE_MIN) if is_code else (2, _MULTI_CELL_ROWS_MIN)
        return sum(len(row) >= cells for row in self.rows) >= rows

    def prose_lines(self) -> list[Line]:
        """The lines column by column, if these are text columns of the page; otherwise empty."""
        columns: list[list[tuple[Line, Word]]] = [[] for _ in self.columns]
        for line in self.lines:
            for cell in line.cells:
                if len(hit := self._columns_of(cell)) == 1:
                    columns[hit[0]].append((line, cell))
        cell_characters = (sum(len(cell.text) for _, cell in column) / len(column) for column in columns)
        if min(cell_characters) < _PROSE_CELL_CHARACTERS_MIN:
            return []
        return [replace(line, words=(cell,)) for column in columns for line, cell in column]

    def _fits(self, cells: Sequence[Word]) -> bool:
        if not self.columns:
            return True
        if self._are_in_order(cells):
            return True
        hits = [self._columns_of(cell) for cell in cells]
        if self.is_table and len(cells) == len(self.columns) and all(n in hit for n, hit in enumerate(hits)):
            return True
        taken = [column for hit in hits for column in hit]
        may_span = self.is_table and len(cells) >= _CELLS_BESIDE_MERGED_MIN
        return (may_span or all(len(hit) < 2 for hit in hits)) and len(set(taken)) == len(taken) > 0

    def _follows(self, line: Line) -> bool:
        """Whether ``line`` is below the last line and close to the lowest one, in the same typography."""
        before = self.lines[-1]
        same_size = abs(line.font_size - before.font_size) < _FONT_SIZE_CHANGE_MAX * before.font_size
        is_close = self._lowest - line.bottom < _ROW_DISTANCE_MAX * line.font_size
        return line.rotation == before.rotation and same_size and is_close and line.bottom < before.bottom

    def _is_beside(self, line: Line) -> bool:
        """Whether ``line`` is to the right of the last row, whose first cell has several lines."""
        same_height = abs(line.bottom - self._row_bottoms[-1]) < _HEIGHT_TOLERANCE * line.font_size
        return same_height and line.left > max(cell.right for cell in self.rows[-1])

    def _continues_cell(self, line: Line) -> bool:
        """Whether ``line`` is a further line of a cell; in the first column only if it is the row's only cell."""
        if len(line.cells) > 1 or not self.rows:
            return False
        if sum(len(cell.text) for cell in self.rows[-1]) > _CELL_CHARACTERS_MAX:
            return False
        (column,) = self._columns_of(line.cells[0])
        distance = self.lines[-1].bottom - line.bottom
        return column > 0 or (len(self.rows[-1]) == 1 and distance < _CELL_LINE_DISTANCE_MAX * line.font_size)

    def _columns_of(self, cell: Word) -> list[int]:
        return [i for i, (left, right) in enumerate(self.columns) if cell.left < right and left < cell.right]

    def _append_to_cell(self, cell: Word) -> None:
        row = self.rows[-1]
        for index, above in enumerate(row):
            if self._columns_of(above) == self._columns_of(cell):
                row[index] = Word(
                    joined(above.text, cell.text), min(above.left, cell.left), max(above.right, cell.right)
                )
                return
        row.append(cell)

    def _are_in_order(self, cells: Sequence[Word]) -> bool:
        """Whether each cell is in or beside its column, and before the next: names and values may be aligned apart."""
        if len(cells) != len(self.columns) or len(cells) < _CELLS_IN_ORDER_MIN:
            return False
        borders = [(-math.inf, -math.inf), *self.columns, (math.inf, math.inf)]
        is_between = (
            before[1] <= cell.left and cell.right <= after[0]
            for before, cell, after in zip(borders, cells, borders[2:], strict=False)
        )
        return all(is_between) and any(number in self._columns_of(cell) for number, cell in enumerate(cells))

    def _widen(self, cells: Sequence[Word]) -> None:
        in_order = self._are_in_order(cells)
        for number, cell in enumerate(cells):
            hit = [number] if in_order else self._columns_of(cell)
            if len(hit) > 1:
                continue
            if hit:
                left, right = self.columns[hit[0]]
                self.columns[hit[0]] = (min(left, cell.left), max(right, cell.right))
            else:
                self.columns.append((cell.left, cell.right))
        self.columns.sort()


def _is_mostly_numbers(row: Sequence[str]) -> bool:
    filled = [cell for cell in row if cell]
    return 2 * sum(bool(_NUMBER.fullmatch(cell)) for cell in filled) >= len(filled)
