"""Whether something is seen at a place of a PDF page, by its pixels: for text of which the objects do not tell it."""

from __future__ import annotations

import ctypes
import math

import numpy as np
import pypdfium2
from numpy.typing import NDArray
from pypdfium2 import raw as pdfium

_SCALE = 1.5  # pixels for a point; the strokes of small letters are still seen
_PIXELS_MAX = 4_000_000
_CONTRAST_MIN = 5  # of 255; what is covered or white on white has none


class Rendering:
    """The pixels of a page.

    Args:
        page: the page, with its layers, clips and annotations as they are displayed.
    """

    def __init__(self, page: pypdfium2.PdfPage) -> None:
        width, height = page.get_size()
        scale = min(_SCALE, math.sqrt(_PIXELS_MAX / max(width * height, 1.0)))
        pixels = page.render(scale=scale, grayscale=True, may_draw_forms=False).to_numpy()
        self._pixels: NDArray[np.uint8] = pixels.reshape(pixels.shape[:2])
        rows, columns = self._pixels.shape
        origin, *units = (_device(page, columns, rows, x, y) for x, y in ((0.0, 0.0), (1000.0, 0.0), (0.0, 1000.0)))
        self._origin = np.array(origin)
        self._axes = (np.array(units) - self._origin) / 1000.0

    def shows(self, boxes: NDArray[np.float64]) -> list[bool]:
        """For each of ``boxes`` (left, bottom, right, top in points), whether it has pixels of different brightness."""
        corners = np.stack([boxes[:, [0, 1]] @ self._axes, boxes[:, [2, 3]] @ self._axes]) + self._origin
        starts = np.maximum(np.floor(corners.min(0)).astype(int) - 1, 0).tolist()
        ends = (np.ceil(corners.max(0)).astype(int) + 1).tolist()
        parts = (self._pixels[y:y_end, x:x_end] for (x, y), (x_end, y_end) in zip(starts, ends, strict=True))
        return [not part.size or int(part.max()) - int(part.min()) > _CONTRAST_MIN for part in parts]


def _device(page: pypdfium2.PdfPage, columns: int, rows: int, x: float, y: float) -> tuple[float, float]:
    """The column and the row of a point of ``page``, to a hundredth."""
    column, row = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDF_PageToDevice(page.raw, 0, 0, 100 * columns, 100 * rows, 0, x, y, column, row)
    return column.value / 100, row.value / 100
