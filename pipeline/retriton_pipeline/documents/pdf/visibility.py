"""Which characters of a PDF page a reader does not see: invisible, white, tiny, covered, a watermark, outside."""

from __future__ import annotations

import ctypes
import math
from functools import cached_property

import numpy as np
import pypdfium2
from pypdfium2 import raw as pdfium

from retriton_pipeline.documents.pdf.covering import Cover, Covering

_INVISIBLE = (pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP)
_FILLED = (pdfium.FPDF_TEXTRENDERMODE_FILL, pdfium.FPDF_TEXTRENDERMODE_FILL_CLIP)
_WHITE = 250  # of 255
_PALE, _TRANSPARENT = 180, 128
_OPAQUE = 5
_SIZE_MIN = 1.2  # in points; smaller text cannot be read
_WATERMARK_HEIGHT = 36.0  # in points
_DIAGONAL = 0.1  # in quarter turns
_GRID = 128  # cells in each direction
_OBJECTS_MAX = 10_000  # that are checked; all text of a page with more is kept
_SCAN_SHARE = 0.5  # of the page that is an image, whose recognized text is invisible


class Visibility:
    """Decides for one page.

    Args:
        page: the page.
        text: its text.
    """

    def __init__(self, page: pypdfium2.PdfPage, text: pypdfium2.PdfTextPage) -> None:
        self._page, self._text = page, text
        self._left, self._bottom, self._right, self._top = page.get_bbox()
        self._object, self._kind = 0, ""
        self._is_tiny = False
        self._cover: Cover | None = None

    def is_hidden(self, index: int, box: pdfium.FS_RECTF) -> bool:
        """Whether the character ``index`` with the bounding box ``box`` is not seen."""
        x, y = (box.left + box.right) / 2, (box.bottom + box.top) / 2
        if not (self._left <= x <= self._right and self._bottom <= y <= self._top):
            return True
        object_ = pdfium.FPDFText_GetTextObject(self._text.raw, index)
        address = ctypes.cast(object_, ctypes.c_void_p).value or 0
        if address != self._object:
            self._object, self._kind = address, _kind(object_) if address else ""
            self._is_tiny = max(box.right - box.left, box.top - box.bottom) < _SIZE_MIN
            self._cover = self._covering.of(object_, address) if address else None
        if self._kind == "invisible":
            return not self._is_scan
        if self._is_tiny or (self._cover is not None and self._cover.hides(x, y)):
            return True
        if self._kind == "pale" and not self._is_watermark(index, box):
            return False
        return bool(self._kind) and not self._has_background(x, y)

    @cached_property
    def _covering(self) -> Covering:
        return Covering(self._page.raw)

    def _is_watermark(self, index: int, box: pdfium.FS_RECTF) -> bool:
        """Whether a pale character is large or between the horizontal and the vertical."""
        turns = float(pdfium.FPDFText_GetCharAngle(self._text.raw, index)) / (math.pi / 2)
        return box.top - box.bottom > _WATERMARK_HEIGHT or abs(turns - round(turns)) > _DIAGONAL

    @cached_property
    def _is_scan(self) -> bool:
        """Whether an image takes most of the page, or all text is invisible."""
        area = (self._right - self._left) * (self._top - self._bottom)
        return any(
            (right - left) * (top - bottom) > _SCAN_SHARE * area
            for type_, (left, bottom, right, top), _ in self._objects
            if type_ in (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_FORM)
        )

    def _has_background(self, x: float, y: float) -> bool:
        return len(self._objects) >= _OBJECTS_MAX or bool(self._backgrounds[self._row(y), self._column(x)])

    @cached_property
    def _backgrounds(self) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
        """Which cells of a grid over the page are not white, by everything that is drawn below or above the text."""
        grid = np.zeros((_GRID, _GRID), dtype=np.bool_)
        for type_, (left, bottom, right, top), object_ in self._objects:
            if type_ != pdfium.FPDF_PAGEOBJ_PATH or _is_coloured(object_):
                grid[self._row(bottom) : self._row(top) + 1, self._column(left) : self._column(right) + 1] = True
        return grid

    @cached_property
    def _objects(self) -> list[tuple[int, tuple[float, float, float, float], pdfium.FPDF_PAGEOBJECT]]:
        """The type and the bounding box of each object that is not text."""
        found = []
        edges = [ctypes.c_float() for _ in range(4)]
        for number in range(min(pdfium.FPDFPage_CountObjects(self._page.raw), _OBJECTS_MAX)):
            object_ = pdfium.FPDFPage_GetObject(self._page.raw, number)
            type_ = pdfium.FPDFPageObj_GetType(object_)
            if type_ != pdfium.FPDF_PAGEOBJ_TEXT and pdfium.FPDFPageObj_GetBounds(object_, *edges):
                left, bottom, right, top = (edge.value for edge in edges)
                found.append((type_, (left, bottom, right, top), object_))
        return found

    def _row(self, y: float) -> int:
        return _cell(y - self._bottom, self._top - self._bottom)

    def _column(self, x: float) -> int:
        return _cell(x - self._left, self._right - self._left)


def _cell(distance: float, length: float) -> int:
    return int(min(max(distance / (length or 1), 0), 1) * (_GRID - 1))


def _kind(object_: pdfium.FPDF_PAGEOBJECT) -> str:
    mode = pdfium.FPDFTextObj_GetTextRenderMode(object_)
    if mode in _INVISIBLE:
        return "invisible"
    red, green, blue, alpha = _fill(object_)
    if mode in _FILLED and alpha < _OPAQUE:
        return "invisible"
    if mode in _FILLED and min(red, green, blue) >= _WHITE:
        return "white"
    return "pale" if mode in _FILLED and (min(red, green, blue) >= _PALE or alpha <= _TRANSPARENT) else ""


def _is_coloured(path: pdfium.FPDF_PAGEOBJECT) -> bool:
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDFPath_GetDrawMode(path, fill, stroke)
    red, green, blue, alpha = _fill(path)
    return fill.value != pdfium.FPDF_FILLMODE_NONE and min(red, green, blue) < _WHITE and alpha >= _OPAQUE


def _fill(object_: pdfium.FPDF_PAGEOBJECT) -> tuple[int, int, int, int]:
    """Red, green, blue and opacity; opaque black if the object states no colour, as one with a pattern."""
    colours = [ctypes.c_uint(0) for _ in range(4)]
    if not pdfium.FPDFPageObj_GetFillColor(object_, *colours):
        return 0, 0, 0, 255
    red, green, blue, alpha = (colour.value for colour in colours)
    return red, green, blue, alpha
