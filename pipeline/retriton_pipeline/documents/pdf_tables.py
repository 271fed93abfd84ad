"""Tables of a PDF page: lines in a row whose pieces stand below each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from retriton_pipeline.documents.pdf_line import Line, Word

_STEP_MAX = 3.5  # between rows, in sizes of the letters
_LINE_STEP_MAX = 1.4  # between the lines of a cell
_ROWS_MIN = 2
_SIZE_CHANGE = 0.15
_HEADER_GAP = 0.6  # between the names of columns, where they fill these
_SAME_HEIGHT = 0.3
_PROSE_CHARACTERS = 25  # columns whose pieces are longer are those of a page, not of a table


@dataclass
class Table:
    """Rows that share columns.

    Attributes:
        lines: what it was made from.
        columns: from where to where each reaches.
        rows: the pieces by column.
    """

    lines: list[Line] = field(default_factory=list)
    columns: list[tuple[float, float]] = field(default_factory=list)
    rows: list[list[Word]] = field(default_factory=list)
    _row_bottom: float = 0.0

    def take(self, line: Line) -> bool:
        """Adds ``line``, if it fits: every piece in one column, and no two in the same."""
        if not self._fits(line.cells):
            return False
        beside = bool(self.rows) and self._is_beside(line)
        if self.rows and not beside and not self._follows(line):
            return False
        if beside:
            self.rows[-1] += line.cells
        elif self._goes_on(line):
            self._continue(line.cells[0])
        else:
            self.rows.append(list(line.cells))
            self._row_bottom = line.bottom
        self._widen(line.cells)
        self.lines.append(line)
        return True

    def take_header(self, line: Line) -> bool:
        """Puts ``line`` in front, if it names the columns; between names the gaps may be narrow."""
        cells = [replace(words[0], text=" ".join(word.text for word in words), right=words[-1].right)
                 for words in line.split(_HEADER_GAP)]  # fmt: skip
        step = line.bottom - self.lines[0].bottom
        if not 0 < step < _STEP_MAX * line.size or len(cells) < len(self.columns) or not self._fits(cells):
            return False
        self.rows.insert(0, cells)
        self._widen(cells)
        self.lines.insert(0, line)
        return True

    def grid(self) -> list[list[str]]:
        """The texts by row and column."""
        return [[" ".join(cell.text for cell in row if self._columns_of(cell) == [index])
                 for index in range(len(self.columns))] for row in self.rows]  # fmt: skip

    @property
    def is_table(self) -> bool:
        """Whether enough rows have several pieces."""
        return sum(len(row) > 1 for row in self.rows) >= _ROWS_MIN

    def prose(self) -> list[Line]:
        """Its lines column by column, if these are columns of prose; else nothing."""
        columns = [[(line, cell) for line in self.lines for cell in line.cells if self._columns_of(cell) == [index]]
                   for index in range(len(self.columns))]  # fmt: skip
        if min(sum(len(cell.text) for _, cell in column) / len(column) for column in columns) < _PROSE_CHARACTERS:
            return []
        return [replace(line, words=(cell,)) for column in columns for line, cell in column]

    def _fits(self, cells: Sequence[Word]) -> bool:
        hits = [self._columns_of(cell) for cell in cells]
        taken = [hit[0] for hit in hits if hit]
        return not self.columns or (all(len(hit) < 2 for hit in hits) and len(set(taken)) == len(taken) > 0)

    def _follows(self, line: Line) -> bool:
        before = self.lines[-1]
        alike = line.turn == before.turn and abs(line.size - before.size) < _SIZE_CHANGE * before.size
        return alike and 0 < before.bottom - line.bottom < _STEP_MAX * line.size

    def _is_beside(self, line: Line) -> bool:
        """Whether it stands to the right of the row, whose first cell has several lines."""
        same_height = abs(line.bottom - self._row_bottom) < _SAME_HEIGHT * line.size
        return same_height and line.left > max(cell.right for cell in self.rows[-1])

    def _goes_on(self, line: Line) -> bool:
        """Whether it is a further line of a cell; in the first column only of one that has no others beside it."""
        if len(line.cells) > 1 or not self.rows:
            return False
        (column,) = self._columns_of(line.cells[0])
        step = self.lines[-1].bottom - line.bottom
        return column > 0 or (len(self.rows[-1]) == 1 and step < _LINE_STEP_MAX * line.size)

    def _columns_of(self, cell: Word) -> list[int]:
        return [i for i, (left, right) in enumerate(self.columns) if cell.left < right and left < cell.right]

    def _continue(self, cell: Word) -> None:
        row = self.rows[-1]
        for index, above in enumerate(row):
            if self._columns_of(above) == self._columns_of(cell):
                row[index] = Word(f"{above.text} {cell.text}", min(above.left, cell.left), max(above.right, cell.right))
                return
        row.append(cell)

    def _widen(self, cells: Sequence[Word]) -> None:
        for cell in cells:
            hit = self._columns_of(cell)
            if hit:
                left, right = self.columns[hit[0]]
                self.columns[hit[0]] = (min(left, cell.left), max(right, cell.right))
            else:
                self.columns.append((cell.left, cell.right))
        self.columns.sort()


def _table(lines: Sequence[Line]) -> Table:
    """The table that begins with the first of ``lines``; it ends with a row that has several pieces."""
    table, whole = Table(), 0
    for number, line in enumerate(lines, 1):
        if (number == 1 and len(line.cells) < 2) or not table.take(line):
            break
        whole = number if len(table.rows[-1]) > 1 else whole
    return table if whole == len(table.lines) else _table(lines[:whole])


def split_tables(lines: Sequence[Line]) -> list[Line | Table]:
    """``lines`` with those that are tables taken together, and columns of prose taken apart."""
    found: list[Line | Table] = []
    index = 0
    while index < len(lines):
        table = _table(lines[index:])
        if not table.is_table:
            found.append(lines[index])
            index += 1
            continue
        index += len(table.lines)
        prose = table.prose()
        if not prose and found and isinstance(found[-1], Line) and table.take_header(found[-1]):
            found.pop()
        found += prose or [table]
    return found
