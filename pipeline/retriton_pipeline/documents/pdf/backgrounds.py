"""Where a PDF page is not white."""

from __future__ import annotations

import numpy as np
from pypdfium2 import raw as pdfium

from retriton_pipeline.documents.pdf.objects import (
    BLACK,
    OBJECTS_MAX,
    OPACITY_MIN,
    WHITE_MIN,
    Box,
    PageObject,
    bounds,
    fill_colour,
    is_filled,
)

_GRID = 128  # cells in each direction


class Backgrounds:
    """A grid over a page, whose cells have a background or are white.

    Args:
        page: the box of the page.
        objects: all that is drawn below or above the text. Pages with too many have a background everywhere.
    """

    def __init__(self, page: Box, objects: list[PageObject]) -> None:
        self._page = page
        self._cells = np.full((_GRID, _GRID), len(objects) >= OBJECTS_MAX, np.bool_)
        for _, type_, handle in objects:
            if (type_ != pdfium.FPDF_PAGEOBJ_PATH or _is_coloured(handle)) and (box := bounds(handle)):
                first, last = self._cell(box.left, box.bottom), self._cell(box.right, box.top)
                self._cells[first[0] : last[0] + 1, first[1] : last[1] + 1] = True

    def contain(self, x: float, y: float) -> bool:
        """Whether there is a background at a point."""
        return bool(self._cells[self._cell(x, y)])

    def _cell(self, x: float, y: float) -> tuple[int, int]:
        left, bottom, right, top = self._page
        return _place(y - bottom, top - bottom), _place(x - left, right - left)


def _place(distance: float, length: float) -> int:
    return int(min(max(distance / (length or 1), 0), 1) * (_GRID - 1))


def _is_coloured(path: pdfium.FPDF_PAGEOBJECT) -> bool:
    *colour, opacity = fill_colour(path) or BLACK
    return is_filled(path) and min(colour) < WHITE_MIN and opacity >= OPACITY_MIN
