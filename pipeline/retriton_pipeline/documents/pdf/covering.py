"""Which text of a PDF page is covered by what is drawn over it, or clipped away."""

from __future__ import annotations

import ctypes
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import partial, reduce
from typing import NamedTuple

from pypdfium2 import raw as pdfium

_OBJECTS_MAX = 10_000  # of a page whose text is checked
_COMPARISONS_MAX = 2_000_000
_CORNERS, _SEGMENTS_MAX = 4, 6  # of a rectangle; curves have more
_CLIP_PATHS_MAX = 32
_TURN = 1e-4
_OPAQUE = 250  # of 255


class _Box(NamedTuple):
    left: float
    bottom: float
    right: float
    top: float

    def contains(self, x: float, y: float) -> bool:
        return self.left <= x <= self.right and self.bottom <= y <= self.top

    def common(self, other: _Box) -> _Box:
        return _Box(
            max(self.left, other.left),
            max(self.bottom, other.bottom),
            min(self.right, other.right),
            min(self.top, other.top),
        )


class Cover(NamedTuple):
    """What is drawn over a text, and the rectangle to which it is clipped."""

    boxes: list[_Box]
    clip: _Box | None

    def hides(self, x: float, y: float) -> bool:
        """Whether the text is not shown at a point."""
        return (self.clip is not None and not self.clip.contains(x, y)) or any(box.contains(x, y) for box in self.boxes)


class Covering:
    """The opaque rectangles of a page, in the order in which they are drawn.

    Args:
        page: the page.
    """

    def __init__(self, page: pdfium.FPDF_PAGE) -> None:
        count = pdfium.FPDFPage_CountObjects(page)
        self._orders: dict[int, int] = {}  # of the texts, by their address
        self._covers: list[tuple[int, _Box]] = []
        self._comparisons = 0
        for order in range(count if count <= _OBJECTS_MAX else 0):
            object_ = pdfium.FPDFPage_GetObject(page, order)
            type_ = pdfium.FPDFPageObj_GetType(object_)
            if type_ == pdfium.FPDF_PAGEOBJ_TEXT:
                self._orders[ctypes.cast(object_, ctypes.c_void_p).value or 0] = order
            elif type_ == pdfium.FPDF_PAGEOBJ_PATH and self._orders and (box := _cover(object_)):
                self._covers.append((order, box))

    def of(self, text: pdfium.FPDF_PAGEOBJECT, address: int) -> Cover | None:
        """What hides parts of the object ``text``; None if nothing does."""
        order = self._orders.get(address)
        if order is None:
            return None  # within a form, which has coordinates of its own
        covers, clip = self._covers_above(text, order), _clip(text)
        return Cover(covers, clip) if covers or clip else None

    def _covers_above(self, text: pdfium.FPDF_PAGEOBJECT, order: int) -> list[_Box]:
        later = self._covers[bisect_right(self._covers, order, key=lambda cover: cover[0]) :]
        self._comparisons += len(later)
        bounds = _bounds(text) if later and self._comparisons <= _COMPARISONS_MAX else None
        return [box for _, box in later if _overlaps(box, bounds)] if bounds else []


def _overlaps(box: _Box, other: _Box) -> bool:
    common = box.common(other)
    return common.left <= common.right and common.bottom <= common.top


def _bounds(object_: pdfium.FPDF_PAGEOBJECT) -> _Box | None:
    edges = [ctypes.c_float() for _ in range(4)]
    return _Box(*(edge.value for edge in edges)) if pdfium.FPDFPageObj_GetBounds(object_, *edges) else None


def _cover(path: pdfium.FPDF_PAGEOBJECT) -> _Box | None:
    """What a filled, opaque rectangle covers; None for any other path."""
    if not _CORNERS <= pdfium.FPDFPath_CountSegments(path) <= _SEGMENTS_MAX:
        return None
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDFPath_GetDrawMode(path, fill, stroke)
    if fill.value == pdfium.FPDF_FILLMODE_NONE or pdfium.FPDFPageObj_HasTransparency(path) or not _is_upright(path):
        return None
    colours = [ctypes.c_uint(0) for _ in range(4)]
    if not pdfium.FPDFPageObj_GetFillColor(path, *colours) or colours[3].value < _OPAQUE:
        return None
    if _rectangle(lambda index: pdfium.FPDFPath_GetPathSegment(path, index)) is None:
        return None
    bounds, clips = _bounds(path), list(_clips(path))
    return reduce(_Box.common, filter(None, clips), bounds) if bounds and all(clips) else None


def _clip(object_: pdfium.FPDF_PAGEOBJECT) -> _Box | None:
    """A rectangle outside of which ``object_`` is not shown; None if there is none."""
    boxes = [box for box in _clips(object_) if box]
    return reduce(_Box.common, boxes) if boxes else None


def _clips(object_: pdfium.FPDF_PAGEOBJECT) -> Iterator[_Box | None]:
    """The rectangles to which ``object_`` is clipped; None for another path."""
    path = pdfium.FPDFPageObj_GetClipPath(object_)
    for number in range(min(pdfium.FPDFClipPath_CountPaths(path), _CLIP_PATHS_MAX)):
        segments = pdfium.FPDFClipPath_CountPathSegments(path, number)
        is_short = _CORNERS <= segments <= _SEGMENTS_MAX
        yield _rectangle(partial(pdfium.FPDFClipPath_GetPathSegment, path, number)) if is_short else None


def _rectangle(segment_of: Callable[[int], pdfium.FPDF_PATHSEGMENT]) -> _Box | None:
    """The rectangle whose corners are the ends of the first four segments; None if they are not."""
    corners: list[tuple[float, float]] = []
    x, y = ctypes.c_float(), ctypes.c_float()
    for index in range(_CORNERS):
        if not pdfium.FPDFPathSegment_GetPoint(segment_of(index), x, y):
            return None
        corners.append((round(x.value, 2), round(y.value, 2)))
    (left, bottom), (right, top) = min(corners), max(corners)
    is_box = {(left, bottom), (left, top), (right, bottom), (right, top)} == set(corners)
    return _Box(left, bottom, right, top) if is_box and left < right and bottom < top else None


def _is_upright(path: pdfium.FPDF_PAGEOBJECT) -> bool:
    """Whether ``path`` is not turned, or by a multiple of a quarter turn."""
    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFPageObj_GetMatrix(path, matrix):
        return False
    return bool(max(abs(matrix.b), abs(matrix.c)) < _TURN or max(abs(matrix.a), abs(matrix.d)) < _TURN)
