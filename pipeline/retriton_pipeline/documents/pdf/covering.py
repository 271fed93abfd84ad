"""Which text of a PDF page is covered by what is drawn over it, or clipped away."""

from __future__ import annotations

import ctypes
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial, reduce
from typing import NamedTuple

from pypdfium2 import raw as pdfium

from retriton_pipeline.documents.pdf.objects import Box, PageObject, PageObjects, bounds, fill_colour, is_filled

_COMPARISONS_MAX = 2_000_000
_CORNERS, _SEGMENTS_MAX = 4, 6  # of a rectangle; curves have more
_CLIP_PATHS_MAX = 32
_TURN = 1e-4
_BANDS_MAX = 32
_OPAQUE = 250  # of 255
_PICTURES = (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_FORM, pdfium.FPDF_PAGEOBJ_SHADING)


class Cover(NamedTuple):
    """What is drawn over a text, and the rectangle to which it is clipped."""

    boxes: list[Box]
    clip: Box | None

    def hides(self, x: float, y: float) -> bool:
        """Whether the text is not shown at a point."""
        return (self.clip is not None and not self.clip.contains(x, y)) or any(box.contains(x, y) for box in self.boxes)


class Covering:
    """The opaque rectangles of a page.

    Args:
        objects: of the page.
    """

    def __init__(self, objects: PageObjects) -> None:
        first = next((text.order for text in objects.texts.values()), 0)
        paths = (other for other in objects.others if other.type == pdfium.FPDF_PAGEOBJ_PATH and other.order > first)
        covers = ((path.order, _cover(path.handle)) for path in paths if objects.texts)
        self._covers = [(order, box) for order, box in covers if box]
        pictures = (other for other in objects.others if other.type in _PICTURES and other.order > first)
        self._pictures = [(other.order, box) for other in pictures if (box := bounds(other.handle))]
        clips = ((text, _clip(text.handle)) for text in objects.texts.values())
        self._clips = {text.order: clip for text, clip in clips if clip}
        self._clipped: defaultdict[Box | None, list[PageObject]] = defaultdict(list)
        for text in objects.texts.values():
            if text.order in self._clips:
                self._clipped[_place(text)].append(text)
        self._comparisons = 0

    def of(self, text: PageObject) -> list[Cover]:
        """What hides parts of ``text``; empty if nothing does.

        There are several if the text is drawn several times, in bands: PDFium reads only one of them.
        """
        texts = self._clipped[_place(text)] if text.order in self._clips else [text]
        covers = [Cover(self._above(each, self._covers), self._clips.get(each.order)) for each in texts[:_BANDS_MAX]]
        return covers if all(cover.boxes or cover.clip for cover in covers) else []

    def may_cover(self, text: PageObject) -> bool:
        """Whether a picture is drawn over a part of ``text``, which may be transparent there."""
        return bool(self._above(text, self._pictures))

    def _above(self, text: PageObject, boxes: list[tuple[int, Box]]) -> list[Box]:
        later = boxes[bisect_right(boxes, text.order, key=lambda cover: cover[0]) :]
        self._comparisons += len(later)
        box = bounds(text.handle) if later and self._comparisons <= _COMPARISONS_MAX else None
        return [cover for _, cover in later if cover.overlaps(box)] if box else []


def _place(text: PageObject) -> Box | None:
    box = bounds(text.handle)
    return Box(*(round(edge, 1) for edge in box)) if box else None


def _cover(path: pdfium.FPDF_PAGEOBJECT) -> Box | None:
    """What a filled, opaque rectangle covers; None for any other path."""
    if not _CORNERS <= pdfium.FPDFPath_CountSegments(path) <= _SEGMENTS_MAX:
        return None
    if not is_filled(path) or pdfium.FPDFPageObj_HasTransparency(path) or not _is_upright(path):
        return None
    colour = fill_colour(path)
    if not colour or colour[3] < _OPAQUE or not _rectangle(partial(pdfium.FPDFPath_GetPathSegment, path)):
        return None
    box, clips = bounds(path), list(_clips(path))
    return reduce(Box.common, filter(None, clips), box) if box and all(clips) else None


def _clip(object_: pdfium.FPDF_PAGEOBJECT) -> Box | None:
    """A rectangle outside of which ``object_`` is not shown; None if there is none."""
    boxes = [box for box in _clips(object_) if box]
    return reduce(Box.common, boxes) if boxes else None


def _clips(object_: pdfium.FPDF_PAGEOBJECT) -> Iterator[Box | None]:
    """The rectangles to which ``object_`` is clipped; None for another path."""
    path = pdfium.FPDFPageObj_GetClipPath(object_)
    for number in range(min(pdfium.FPDFClipPath_CountPaths(path), _CLIP_PATHS_MAX)):
        segments = pdfium.FPDFClipPath_CountPathSegments(path, number)
        is_short = _CORNERS <= segments <= _SEGMENTS_MAX
        yield _rectangle(partial(pdfium.FPDFClipPath_GetPathSegment, path, number)) if is_short else None


def _rectangle(segment_of: Callable[[int], pdfium.FPDF_PATHSEGMENT]) -> Box | None:
    """The rectangle whose corners are the ends of the first four segments; None if they are not."""
    corners: list[tuple[float, float]] = []
    x, y = ctypes.c_float(), ctypes.c_float()
    for index in range(_CORNERS):
        if not pdfium.FPDFPathSegment_GetPoint(segment_of(index), x, y):
            return None
        corners.append((round(x.value, 2), round(y.value, 2)))
    (left, bottom), (right, top) = min(corners), max(corners)
    is_box = {(left, bottom), (left, top), (right, bottom), (right, top)} == set(corners)
    return Box(left, bottom, right, top) if is_box and left < right and bottom < top else None


def _is_upright(path: pdfium.FPDF_PAGEOBJECT) -> bool:
    """Whether ``path`` is not turned, or by a multiple of a quarter turn."""
    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFPageObj_GetMatrix(path, matrix):
        return False
    return bool(max(abs(matrix.b), abs(matrix.c)) < _TURN or max(abs(matrix.a), abs(matrix.d)) < _TURN)
