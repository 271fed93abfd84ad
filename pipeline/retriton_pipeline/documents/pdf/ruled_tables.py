"""Detects the tables of a PDF page that are drawn with rules around their cells."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from retriton_pipeline.documents.pdf.grid import Grid, Place
from retriton_pipeline.documents.pdf.line import Line, Word
from retriton_pipeline.documents.pdf.objects import Box
from retriton_pipeline.documents.pdf.row_rules import row_grids
from retriton_pipeline.documents.pdf.rule_grids import grids

_FILLED_SHARE_MIN = 0.3  # of the cells; drawings and charts have more empty ones
_ROWS_SHARE_MIN = 0.5  # of the rows, with several filled cells
_CELL_CHARACTERS_MAX = 300  # on average; longer texts are columns of the page
_COMPARISONS_MAX = 1_000_000


@dataclass(frozen=True)
class RuledTable:
    """A table with rules.

    Attributes:
        cells: their places.
        lines: the lines of the cells.
    """

    cells: Grid
    lines: list[Line]

    @property
    def header_rows(self) -> int:
        """The number of rows of the header."""
        return self.cells.header_rows

    def grid(self) -> list[list[str]]:
        """The texts by row and column."""
        places = ((_place(self.cells, line, line.words[0]), line.text) for line in self.lines)
        return self.cells.texts([(place, text) for place, text in places if place])


def with_grids(lines: list[Line], rules: Sequence[Box], bands: Sequence[Box]) -> list[Line]:
    """``lines``, separated at the borders of the cells of the tables that ``rules`` or the edges of ``bands`` draw."""
    if not lines or (len(rules) + len(bands)) * len(lines) > _COMPARISONS_MAX:
        return lines
    turns = Counter(line.rotation for line in lines).most_common(1)[0][0]
    rules = [_rotated(rule, turns) for rule in rules]
    lines = _with(grids(rules, turns), lines)
    lines = _with(row_grids(rules, lines, turns), lines)
    return _with(row_grids([_rotated(band, turns) for band in bands], lines, turns), lines)


def _with(found: Iterable[Grid], lines: list[Line]) -> list[Line]:
    """``lines`` with the tables among the grids that were ``found``."""
    for grid in found:
        parts = [part for line in lines for part in _parts(line, grid)]
        if _is_table(grid, [part for part in parts if part.grid is grid]):
            lines = parts
    return lines


def _parts(line: Line, grid: Grid) -> Iterator[Line]:
    """The parts of ``line`` that are in different cells, or outside of the table."""
    is_apart = line.rotation == grid.turns and (line.top < grid.ys[-1] or line.bottom > grid.ys[0])
    if line.grid or is_apart:
        yield line
        return
    for place, words in groupby(line.words, key=lambda word: _place(grid, line, word)):
        yield replace(line, words=tuple(words), grid=grid if place else None)


def _place(grid: Grid, line: Line, word: Word) -> Place | None:
    """The cell in which the middle of ``word`` is."""
    box = _rotated(Box(word.left, line.bottom, word.right, line.top), (grid.turns - line.rotation) % 4)
    return grid.place((box.left + box.right) / 2, (box.bottom + box.top) / 2)


def _is_table(grid: Grid, lines: Sequence[Line]) -> bool:
    """Whether ``lines`` fill enough cells of several rows and columns, which have a rule between any two rows."""
    bottoms: defaultdict[Place, list[int]] = defaultdict(list)
    for line in lines:
        if place := _place(grid, line, line.words[0]):
            bottoms[place].append(round(line.bottom))
    filled = len(bottoms)
    cells = {place for row in grid.places for place in row}
    several = sum(count > 1 for count in Counter(row for row, _ in bottoms).values())
    return (
        filled >= _FILLED_SHARE_MIN * len(cells)
        and several >= _ROWS_SHARE_MIN * len({row for row, _ in bottoms})
        and min(len({row for row, _ in bottoms}), len({column for _, column in bottoms})) > 1
        and sum(len(line.text) for line in lines) <= _CELL_CHARACTERS_MAX * filled
        and not _lacks_rules(bottoms)
    )


def _lacks_rules(bottoms: dict[Place, list[int]]) -> bool:
    """Whether there are more rows without rules than with: rows whose cells have several lines at the same heights."""
    rows: defaultdict[int, list[list[int]]] = defaultdict(list)
    for (row, _), heights in bottoms.items():
        rows[row].append(sorted(set(heights)))
    ruled = unruled = 0
    for cells in rows.values():
        alike = max(map(cells.count, cells))
        is_several = min(map(len, cells)) > 1 and alike > 1 and (alike == len(cells) or len(max(cells, key=len)) > 2)
        unruled += len(max(cells, key=len)) if is_several else 0
        ruled += not is_several
    return unruled > ruled


def _rotated(rule: Box, turns: int) -> Box:
    """``rule`` on the page rotated counter-clockwise."""
    for _ in range(turns):
        rule = Box(-rule.top, rule.left, -rule.bottom, rule.right)
    return rule
