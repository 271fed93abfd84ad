"""The grids that touching rules on a PDF page draw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from retriton_pipeline.documents.pdf.grid import Grid, Place
from retriton_pipeline.documents.pdf.objects import Box

_TOLERANCE = 3.0  # points within which rules are one, or touch
_COLUMNS_MAX, _ROWS_MAX = 64, 300
_RULES_MIN = 2  # in each direction; with no more, these may be the axes of a chart
_FREE_ENDS_MAX = 0.1  # of all ends of rules
_Edges = NDArray[np.float64]


def grids(rules: Sequence[Box], turns: int) -> Iterator[Grid]:
    """The grids of ``rules`` that touch each other on the page after ``turns``, with several rows and columns."""
    edges = np.array(rules, np.float64).reshape(-1, 4)
    is_upright = edges[:, 3] - edges[:, 1] > edges[:, 2] - edges[:, 0]
    for group in _components(edges):
        if grid := _grid(edges[group & is_upright], edges[group & ~is_upright], turns):
            yield grid


def _grid(vertical: _Edges, horizontal: _Edges, turns: int) -> Grid | None:
    if not len(vertical) or len(horizontal) < _RULES_MIN:
        return None
    drawn_xs, drawn_ys = _borders(_centers(vertical, 0)), _borders(_centers(horizontal, 1))
    xs = _borders([*drawn_xs, horizontal[:, 0].min(), horizontal[:, 2].max()])
    ys = _borders([*drawn_ys, vertical[:, 1].min(), vertical[:, 3].max()])
    is_axes = len(drawn_xs) <= _RULES_MIN and len(drawn_ys) <= _RULES_MIN
    if is_axes or not (2 < len(xs) <= _COLUMNS_MAX and 2 < len(ys) <= _ROWS_MAX):
        return None
    if not _all_end(horizontal, 0, vertical, xs) or not _all_end(vertical, 1, horizontal, ys):
        return None
    places = _places(xs, ys[::-1], vertical, horizontal)
    titles = sum(1 for _ in takewhile(lambda row: len(set(row)) == 1, places))
    below = [[(row - titles, column) for row, column in line] for line in places[titles:]]
    return Grid(xs, ys[::-1][titles:], below, turns) if len(below) > 1 else None


def _all_end(rules: _Edges, axis: int, others: _Edges, borders: Sequence[float]) -> bool:
    """Whether nearly all of ``rules`` end at the border of the table or at one of the ``others``; drawings do not."""
    across, free = _centers(rules, 1 - axis), 0
    at = _centers(others, axis)
    for ends in (rules[:, axis], rules[:, axis + 2]):
        is_outer = np.minimum(np.abs(ends - borders[0]), np.abs(ends - borders[-1])) <= _TOLERANCE
        for end, place in zip(ends[~is_outer].tolist(), across[~is_outer].tolist(), strict=True):
            near = others[np.abs(at - end) <= _TOLERANCE]
            start, stop = near[:, 1 - axis] - _TOLERANCE, near[:, 3 - axis] + _TOLERANCE
            free += not np.any((start <= place) & (place <= stop))
    return free <= _FREE_ENDS_MAX * 2 * len(rules)


def _components(edges: _Edges) -> Iterator[NDArray[np.bool_]]:
    """Which rules are in each group of those that touch each other."""
    left, bottom, right, top = edges.T
    left, bottom, right, top = left - _TOLERANCE, bottom - _TOLERANCE, right + _TOLERANCE, top + _TOLERANCE
    others = np.ones(len(edges), np.bool_)
    while others.any():
        group = np.zeros(len(edges), np.bool_)
        pending = [int(np.argmax(others))]
        others[pending[0]] = False
        while pending:
            rule = pending.pop()
            group[rule] = True
            touching = others & (left <= edges[rule, 2]) & (right >= edges[rule, 0])
            touching &= (bottom <= edges[rule, 3]) & (top >= edges[rule, 1])
            pending += np.flatnonzero(touching).tolist()
            others &= ~touching
        yield group


def _centers(edges: _Edges, axis: int) -> _Edges:
    centers: _Edges = (edges[:, axis] + edges[:, axis + 2]) / 2
    return centers


def _borders(places: Sequence[float] | _Edges) -> list[float]:
    """The different ones of ``places``, sorted."""
    borders: list[float] = []
    for place in sorted(places):
        if not borders or place - borders[-1] > _TOLERANCE:
            borders.append(float(place))
    return borders


def _places(xs: list[float], ys: list[float], vertical: _Edges, horizontal: _Edges) -> list[list[Place]]:
    """The place of the cell at each row and column; cells without a rule between them are one."""
    rows, columns = len(ys) - 1, len(xs) - 1
    is_left_ruled = [_covers(vertical, 0, x, _middles(ys)) for x in xs]
    is_top_ruled = [_covers(horizontal, 1, y, _middles(xs)) for y in ys]
    places: list[list[Place | None]] = [[None] * columns for _ in range(rows)]
    for row in range(rows):
        for column in range(columns):
            if places[row][column]:
                continue
            right, below = column + 1, row + 1
            while right < columns and not is_left_ruled[right][row] and not places[row][right]:
                right += 1
            while below < rows and not is_top_ruled[below][column]:
                below += 1
            for line in places[row:below]:
                line[column:right] = [(row, column)] * (right - column)
    return [[place or (0, 0) for place in row] for row in places]


def _middles(borders: Sequence[float] | _Edges) -> _Edges:
    """The middles of consecutive borders."""
    places = np.array(borders)
    middles: _Edges = (places[:-1] + places[1:]) / 2
    return middles


def _covers(rules: _Edges, axis: int, place: float, along: _Edges) -> list[bool]:
    """For each of ``along``, whether one of ``rules`` that is at ``place`` of an axis crosses it."""
    at = rules[np.abs(_centers(rules, axis) - place) <= _TOLERANCE]
    start, end = at[:, 1 - axis], at[:, 3 - axis]
    crossed: list[bool] = np.any((start[:, None] <= along) & (along <= end[:, None]), axis=0).tolist()
    return crossed
