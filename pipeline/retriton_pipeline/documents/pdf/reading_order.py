"""The reading order of the regions of a PDF page."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from retriton_pipeline.documents.pdf.regions import Region

_GUTTER = 0.8  # in sizes of the body text: narrower gaps do not separate columns
_REGIONS_MAX = 500  # of a page that is cut: each cut sorts all regions of its part
_ORDERED_CHARACTERS_MIN = 20  # shorter regions, such as labels in figures, may be in any order


def in_reading_order(regions: list[Region], body_size: float) -> list[Region]:
    """The regions in content order, unless that jumps back up the page; then in the order of an XY cut.

    Args:
        regions: in content order.
        body_size: the font size of the body text, in points.
    """
    texts = [region for region in regions if sum(len(line.text) for line in region.lines) >= _ORDERED_CHARACTERS_MIN]
    if len(regions) <= _REGIONS_MAX and any(_jumps_back(before, after) for before, after in pairwise(texts)):
        return _xy_cut(regions, _GUTTER * body_size)
    return regions


def _jumps_back(before: Region, after: Region) -> bool:
    """Whether ``after`` is above ``before``, and not in a column to its right."""
    same_rotation = before.lines[0].rotation == after.lines[0].rotation
    return after.bottom >= before.top and after.left < before.right and same_rotation


def _xy_cut(regions: list[Region], gutter: float) -> list[Region]:
    """Recursive XY cut: splits at the widest gap that crosses all regions, vertical or horizontal."""
    if len(regions) < 2:
        return regions
    rows = sorted(regions, key=lambda region: -region.top)
    columns = sorted(regions, key=lambda region: region.left)
    row_gap, row = _widest_gap([(-region.top, -region.bottom) for region in rows])
    column_gap, column = _widest_gap([(region.left, region.right) for region in columns])
    if column_gap > max(row_gap, gutter):
        return _xy_cut(columns[:column], gutter) + _xy_cut(columns[column:], gutter)
    if row_gap > 0:
        return _xy_cut(rows[:row], gutter) + _xy_cut(rows[row:], gutter)
    return rows  # the boxes of close lines overlap


def _widest_gap(spans: Sequence[tuple[float, float]]) -> tuple[float, int]:
    """The widest gap between sorted spans, and the index of the first span after it."""
    best, end = (0.0, 0), spans[0][1]
    for index, (start, stop) in enumerate(spans):
        best = max(best, (start - end, index))
        end = max(end, stop)
    return best
