"""Which characters of a PDF page a reader does not see: invisible, white, tiny, covered, a watermark, outside."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise, repeat
from typing import NamedTuple

import numpy as np
import pypdfium2
from numpy.typing import NDArray
from pypdfium2 import raw as pdfium

from retriton_pipeline.documents.pdf.backgrounds import Backgrounds
from retriton_pipeline.documents.pdf.characters import LINE_BREAKS, SPACE, Characters, rotation
from retriton_pipeline.documents.pdf.covering import Cover, Covering
from retriton_pipeline.documents.pdf.objects import (
    BLACK,
    OPACITY_MIN,
    WHITE_MIN,
    Box,
    PageObjects,
    address_of,
    bounds,
    fill_colour,
)
from retriton_pipeline.documents.pdf.rendering import Rendering

_INVISIBLE = (pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP)
_FILLED = (pdfium.FPDF_TEXTRENDERMODE_FILL, pdfium.FPDF_TEXTRENDERMODE_FILL_CLIP)
_PALE, _TRANSPARENT = 180, 128
_SIZE_MIN = 1.2  # in points; smaller text cannot be read
_WATERMARK_HEIGHT = 36.0  # in points
_LAYER = "OC\0".encode("utf-16-le")  # the name of the marks of optional content
_MARK_LENGTH = 32
_SCAN_SHARE = 0.5  # of the page that is an image, whose recognized text is invisible


class _Looks(NamedTuple):
    """Why a text may be hidden: its kind, what is over it each time it is drawn, and whether only pixels tell."""

    kind: str = ""
    covers: Sequence[Cover] = ()
    is_doubtful: bool = False


def hidden_characters(
    page: pypdfium2.PdfPage, text: pypdfium2.PdfTextPage, characters: Characters, objects: PageObjects
) -> NDArray[np.bool_]:
    """Which of the ``characters`` of ``page``, with ``objects``, are not seen."""
    return _Visibility(page, text, characters, objects).hidden()


class _Visibility:
    def __init__(
        self, page: pypdfium2.PdfPage, text: pypdfium2.PdfTextPage, characters: Characters, objects: PageObjects
    ) -> None:
        self._displayed, self._text, self._characters = page, text, characters
        self._page = Box(*page.get_bbox())
        left, bottom, right, top = characters.boxes.T
        self._x, self._y = (left + right) / 2, (bottom + top) / 2
        self._sizes = np.maximum(right - left, top - bottom)
        self._objects = objects
        self._looks = _looks(self._objects) if self._objects.is_complete else {}

    def hidden(self) -> NDArray[np.bool_]:
        """Which characters are not seen."""
        left, bottom, right, top = self._page
        outside: NDArray[np.bool_] = ~((left <= self._x) & (self._x <= right) & (bottom <= self._y) & (self._y <= top))
        may_hide_text = self._may_hide_text()
        if not may_hide_text and not outside.any():
            return outside
        is_generated = self._are_generated()
        hidden: NDArray[np.bool_] = outside & ~is_generated
        for text, indices in self._by_object(np.flatnonzero(~outside & ~is_generated)) if may_hide_text else ():
            hidden[indices] = self._are_hidden(text, indices)
        return hidden

    def _may_hide_text(self) -> bool:
        """Whether text that is within the page may not be seen."""
        has_forms = any(other.type == pdfium.FPDF_PAGEOBJ_FORM for other in self._objects.others)
        is_tiny = (self._sizes < _SIZE_MIN) & ~np.isin(self._characters.codes, (*LINE_BREAKS, SPACE))
        is_plain = self._objects.is_complete and not has_forms and not is_tiny.any()
        return not is_plain or any(map(any, self._looks.values()))

    def _are_generated(self) -> NDArray[np.bool_]:
        """Which characters are not in the file: line breaks, and the spaces that PDFium inserts, which have no box."""
        generated = np.isin(self._characters.codes, LINE_BREAKS)
        for index in np.flatnonzero(self._characters.codes == SPACE).tolist():
            generated[index] = pdfium.FPDFText_IsGenerated(self._text.raw, index) == 1
        return generated

    def _by_object(self, indices: NDArray[np.intp]) -> Iterator[tuple[pdfium.FPDF_PAGEOBJECT, NDArray[np.intp]]]:
        """The texts, each with its consecutive characters."""
        handles = list(map(pdfium.FPDFText_GetTextObject, repeat(self._text.raw), indices.tolist()))
        addresses = np.fromiter(map(address_of, handles), np.uint64, len(handles))
        starts = [0, *(np.flatnonzero(np.diff(addresses)) + 1).tolist(), len(handles)]
        return ((handles[start], indices[start:end]) for start, end in pairwise(starts) if start < end)

    def _are_hidden(self, text: pdfium.FPDF_PAGEOBJECT, indices: NDArray[np.intp]) -> bool | list[bool]:
        kind, covers, is_doubtful = self._looks_of(text)
        if kind == "invisible":
            return not self._is_scan
        if self._sizes[indices[0]] < _SIZE_MIN:
            return True
        if is_doubtful and self._rendering:
            return self._are_not_drawn(self._rendering, indices)
        if not kind and not covers:
            return False
        points = zip(indices.tolist(), self._x[indices].tolist(), self._y[indices].tolist(), strict=True)
        return [
            (len(covers) > 0 and all(cover.hides(x, y) for cover in covers)) or self._is_faint(kind, index, x, y)
            for index, x, y in points
        ]

    def _are_not_drawn(self, rendering: Rendering, indices: NDArray[np.intp]) -> bool | list[bool]:
        """Which characters have no pixels; spaces do not have them anyway."""
        is_space = self._characters.codes[indices] == SPACE
        hidden = ~np.array(rendering.shows(self._characters.boxes[indices])) & ~is_space
        found: list[bool] = hidden.tolist()
        return bool(np.all(hidden | is_space)) or found

    def _looks_of(self, text: pdfium.FPDF_PAGEOBJECT) -> _Looks:
        address = address_of(text)
        if address and address not in self._looks:  # within a form, which has coordinates of its own
            self._looks[address] = _Looks(_kind(text), is_doubtful=True)
        return self._looks.get(address, _Looks())

    def _is_faint(self, kind: str, index: int, x: float, y: float) -> bool:
        """Whether a character is white on white, or of a watermark."""
        if not kind or (kind == "pale" and not self._is_watermark(index)):
            return False
        return not self._backgrounds.contain(x, y)

    def _is_watermark(self, index: int) -> bool:
        """Whether a pale character is large or between the horizontal and the vertical."""
        _, bottom, _, top = self._characters.boxes[index].tolist()
        return top - bottom > _WATERMARK_HEIGHT or rotation(self._text, index)[1]

    @cached_property
    def _is_scan(self) -> bool:
        """Whether an image takes most of the page, or all text is invisible."""
        images = (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_FORM)
        boxes = (bounds(other.handle) for other in self._objects.others if other.type in images)
        return any(box.area > _SCAN_SHARE * self._page.area for box in boxes if box)

    @cached_property
    def _rendering(self) -> Rendering | None:
        try:
            return Rendering(self._displayed)
        except (pypdfium2.PdfiumError, MemoryError):
            return None

    @cached_property
    def _backgrounds(self) -> Backgrounds:
        return Backgrounds(self._page, self._objects.others)


def _looks(objects: PageObjects) -> dict[int, _Looks]:
    covering = Covering(objects)
    return {
        address: _Looks(_kind(text.handle), covering.of(text), covering.may_cover(text) or _is_on_layer(text.handle))
        for address, text in objects.texts.items()
    }


def _is_on_layer(text: pdfium.FPDF_PAGEOBJECT) -> bool:
    """Whether ``text`` is optional content, which can be switched off."""
    marks = pdfium.FPDFPageObj_CountMarks(text)
    return marks > 0 and any(_name(pdfium.FPDFPageObj_GetMark(text, number)) == _LAYER for number in range(marks))


def _name(mark: pdfium.FPDF_PAGEOBJECTMARK) -> bytes:
    buffer, size = (ctypes.c_ushort * _MARK_LENGTH)(), ctypes.c_ulong()
    pdfium.FPDFPageObjMark_GetName(mark, buffer, ctypes.sizeof(buffer), size)
    return bytes(buffer)[: size.value]


def _kind(text: pdfium.FPDF_PAGEOBJECT) -> str:
    mode = pdfium.FPDFTextObj_GetTextRenderMode(text)
    if mode in _INVISIBLE:
        return "invisible"
    if mode not in _FILLED:
        return ""
    *colour, opacity = fill_colour(text) or BLACK
    if opacity < OPACITY_MIN:
        return "invisible"
    if min(colour) >= WHITE_MIN:
        return "white"
    return "pale" if min(colour) >= _PALE or opacity <= _TRANSPARENT else ""
