"""The reading order of the shapes of a slide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pptx.shapes.base import BaseShape

_SHAPES_MAX = 500  # that are cut: each cut sorts all shapes of its part
_COLUMN_GAP = 2  # in gaps of rows: a wider one separates columns that are read one after the other
_ROW_SHARE = 0.25  # of the height of the lower of two shapes whose tops are at the same height


@dataclass(frozen=True)
class _Box:
    shape: BaseShape
    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def of(cls, shape: BaseShape) -> _Box:
        left, top = shape.left or 0, shape.top or 0
        return cls(shape, left, top, left + max(shape.width or 0, 1), top + max(shape.height or 0, 1))


def in_reading_order(shapes: Sequence[BaseShape]) -> list[BaseShape]:
    """``shapes`` by rows; columns with a wide gap in between one after the other."""
    boxes = [_Box.of(shape) for shape in shapes]
    ordered = _cut(boxes) if len(boxes) <= _SHAPES_MAX else _by_rows(boxes)
    return [box.shape for box in ordered]


def _cut(boxes: list[_Box]) -> list[_Box]:
    if len(boxes) < 2:
        return boxes
    rows = sorted(boxes, key=lambda box: box.top)
    columns = sorted(boxes, key=lambda box: box.left)
    row_gap, row = _widest_gap([(box.top, box.bottom) for box in rows])
    column_gap, column = _widest_gap([(box.left, box.right) for box in columns])
    if column and column_gap > _COLUMN_GAP * max(row_gap, 0) and _has_rows(boxes):
        return _cut(columns[:column]) + _cut(columns[column:])
    if row:
        return _cut(rows[:row]) + _cut(rows[row:])
    return _by_rows(boxes)


def _has_rows(boxes: Sequence[_Box]) -> bool:
    """Whether the shapes are not all in one row, which is read from left to right whatever the gaps."""
    return max(box.top for box in boxes) >= min(box.bottom for box in boxes)


def _widest_gap(spans: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The widest gap between sorted spans, and the index of the first span after it; 0 if all overlap."""
    best, end = (-1, 0), spans[0][1]
    for index, (start, stop) in enumerate(spans[1:], 1):
        best = max(best, (start - end, index))
        end = max(end, stop)
    return best if best[0] >= 0 else (-1, 0)


def _by_rows(boxes: Sequence[_Box]) -> list[_Box]:
    """From left to right where the tops are at about the same height, and from top to bottom."""
    rows: list[list[_Box]] = []
    for box in sorted(boxes, key=lambda box: box.top):
        first = rows[-1][0] if rows else box
        if rows and box.top - first.top <= _ROW_SHARE * min(box.bottom - box.top, first.bottom - first.top):
            rows[-1].append(box)
        else:
            rows.append([box])
    return [box for row in rows for box in sorted(row, key=lambda box: (box.left, box.top))]
