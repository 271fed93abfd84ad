"""Merged cells of a sheet: their text stands for each row and column that they span."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import IO

from openpyxl.utils.cell import range_boundaries

from retriton_pipeline.documents.tables import SPANNED

_MERGED = re.compile(rb"""<(?:\w+:)?mergeCell\s+ref=["']([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})["']""")
_WINDOW_BYTES, _OVERLAP_BYTES = 1024**2, 256
_RANGES_MAX = 20_000
_ROWS_MAX = 1_000  # of a range, in which its text is repeated
_COLUMNS_MAX = 100  # of a range, to which its text belongs
_CHARACTERS_MAX = 200


class MergedCells:
    """The merged cells of a sheet.

    Args:
        ranges: the first column and row and the last column and row of each, from 1.
    """

    def __init__(self, ranges: Iterable[tuple[int, int, int, int]]) -> None:
        self._starting: dict[int, list[tuple[int, int, int]]] = defaultdict(list)  # by row: last row, and columns
        self._open: list[tuple[int, int, int, str]] = []  # last row, columns and text of ranges of several rows
        for left, top, right, bottom in ranges:
            self._starting[top].append((bottom, left, min(right, left + _COLUMNS_MAX)))

    def unfolded(self, number: int, row: list[str]) -> list[str]:
        """The texts of the row ``number``, in which merged cells stand for each row and column that they span."""
        self._open = [part for part in self._open if part[0] >= number]
        for _, left, right, text in self._open:
            _fill(row, left, right, text)
        for bottom, left, right in self._starting.pop(number, ()):
            text = row[left - 1] if left <= len(row) else ""
            if text:
                _fill(row, left, right, text)
            if text and bottom > number and len(text) <= _CHARACTERS_MAX:
                self._open.append((min(bottom, number + _ROWS_MAX), left, right, text))
        return row


def _fill(row: list[str], left: int, right: int, text: str) -> None:
    row += [""] * (right - len(row))
    row[left - 1] = row[left - 1] or text
    for column in range(left, right):
        row[column] = row[column] or SPANNED


def merged_ranges(source: IO[bytes]) -> list[tuple[int, int, int, int]]:
    """The first column and row and the last column and row of each range in the XML of a sheet of an XLSX."""
    found: dict[bytes, None] = {}
    tail = b""
    while (window := source.read(_WINDOW_BYTES)) and len(found) < _RANGES_MAX:
        window = tail + window
        found |= dict.fromkeys(_MERGED.findall(window))
        tail = window[-_OVERLAP_BYTES:]
    return [_boundaries(name.decode()) for name in found]


def _boundaries(name: str) -> tuple[int, int, int, int]:
    left, top, right, bottom = range_boundaries(name)
    return int(left or 1), int(top or 1), int(right or 1), int(bottom or 1)
