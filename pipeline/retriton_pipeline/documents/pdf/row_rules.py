"""The grids of tables that have rules only between their rows; their columns are where no row has text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from retriton_pipeline.documents.pdf.grid import Grid, Place
from retriton_pipeline.documents.pdf.line import Line, Word
from retriton_pipeline.documents.pdf.objects import Box

_TOLERANCE = 3.0  # points within which rules are at the same height, or touch
_EXTENT_STEP = 6.0  # points within which the ends of rules are the same
_RULES_MIN, _RULES_MAX = 3, 300
_ROW_HEIGHT_MAX = 120.0  # in points; larger parts of a page are not rows
_COLUMN_GAP, _ROW_GAP, _FIRST_ROW_GAP = 0.5, 0.6, 1.5  # in font sizes
_FILLED_SHARE_MIN = 0.6  # of the cells
_Placed = tuple[Line, Word]


def row_grids(rules: Sequence[Box], lines: Sequence[Line], turns: int) -> Iterator[Grid]:
    """The grids of horizontal rules that are as long as each other, and of the ``lines`` between them."""
    for left, right, ys in _stacks([rule for rule in rules if rule.right - rule.left > rule.top - rule.bottom]):
        words = [
            (line, word) for line in lines if line.rotation == turns and not line.grid
            for word in line.words if left - _TOLERANCE <= word.left and word.right <= right + _TOLERANCE
        ]  # fmt: skip
        inside = _between(words, ys[-1], ys[0])
        if not (xs := _borders(inside)):
            continue
        height_max = max(above - below for above, below in pairwise(ys))
        above = _row([(line, word, line.bottom - ys[0], line.top - ys[0]) for line, word in words], height_max)
        below = _row([(line, word, ys[-1] - line.top, ys[-1] - line.bottom) for line, word in words], height_max)
        if _is_row(above, inside, len(xs)):
            inside, ys = inside + above, [max(line.top for line, _ in above), *ys]
        if _is_row(below, inside, len(xs)):
            inside, ys = inside + below, [*ys, min(line.bottom for line, _ in below)]
        xs = _borders(inside)
        places = [[(row, column) for column in range(len(xs) + 1)] for row in range(len(ys) - 1)]
        grid = Grid([left - _TOLERANCE, *xs, right + _TOLERANCE], ys, places, turns)
        if _is_filled(grid, inside):
            yield grid


def _is_filled(grid: Grid, words: Sequence[_Placed]) -> bool:
    """Whether most cells have text, and each row has one cell of a single line; others consist of several rows."""
    lines: defaultdict[Place, set[int]] = defaultdict(set)
    for line, word in words:
        if place := grid.place((word.left + word.right) / 2, (line.bottom + line.top) / 2):
            lines[place].add(round(line.bottom))
    heights: dict[int, int] = {}
    for (row, _), cell in lines.items():
        heights[row] = min(heights.get(row, len(cell)), len(cell))
    cells = (len(grid.xs) - 1) * (len(grid.ys) - 1)
    return len(lines) >= _FILLED_SHARE_MIN * cells and max(heights.values(), default=0) == 1


def _stacks(rules: Sequence[Box]) -> Iterator[tuple[float, float, list[float]]]:
    """The ends and the heights, from top to bottom, of rules above each other."""
    stacks: defaultdict[tuple[int, int], list[Box]] = defaultdict(list)
    for rule in _joined(rules):
        stacks[round(rule.left / _EXTENT_STEP), round(rule.right / _EXTENT_STEP)].append(rule)
    for stack in stacks.values():
        ys = [(rule.bottom + rule.top) / 2 for rule in stack]
        ys = [y for n, y in enumerate(ys) if not n or ys[n - 1] - y > _TOLERANCE]
        is_close = all(above - below < _ROW_HEIGHT_MAX for above, below in pairwise(ys))
        if _RULES_MIN <= len(ys) <= _RULES_MAX and is_close:
            yield min(rule.left for rule in stack), max(rule.right for rule in stack), ys


def _joined(rules: Sequence[Box]) -> list[Box]:
    """``rules`` from top to bottom, with those of the cells of a row joined."""
    joined: list[Box] = []
    for rule in sorted(rules, key=lambda rule: (-round(rule.bottom), rule.left)):
        last = joined[-1] if joined else None
        if last and abs(last.bottom - rule.bottom) < _TOLERANCE and rule.left - last.right < _TOLERANCE:
            joined[-1] = Box(last.left, last.bottom, max(last.right, rule.right), last.top)
        else:
            joined.append(rule)
    return joined


def _borders(words: Sequence[_Placed]) -> list[float]:
    """The middles of the gaps that no word is in."""
    borders: list[float] = []
    end = None
    for line, word in sorted(words, key=lambda item: item[1].left):
        if end is not None and word.left - end > _COLUMN_GAP * line.font_size:
            borders.append((word.left + end) / 2)
        end = max(end, word.right) if end is not None else word.right
    return borders


def _between(words: Sequence[_Placed], bottom: float, top: float) -> list[_Placed]:
    return [(line, word) for line, word in words if bottom < (line.bottom + line.top) / 2 < top]


def _row(words: Sequence[tuple[Line, Word, float, float]], height_max: float) -> list[_Placed]:
    """The words next to the first or the last rule, up to a gap between lines; with the distances of their edges."""
    row: list[_Placed] = []
    reached = 0.0
    for line, word, start, end in sorted(words, key=lambda item: item[2]):
        if start < -_TOLERANCE:
            continue
        if start - reached > (_ROW_GAP if row else _FIRST_ROW_GAP) * line.font_size or end > height_max + _TOLERANCE:
            break
        row.append((line, word))
        reached = max(reached, end)
    return row


def _is_row(row: list[_Placed], inside: list[_Placed], borders: int) -> bool:
    """Whether the words beyond the first or the last rule have the columns of those ``inside``."""
    return bool(_borders(row)) and len(_borders(inside + row)) == borders
