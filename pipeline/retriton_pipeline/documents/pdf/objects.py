"""The objects that are drawn on a PDF page: their order, kind, bounds and colour."""

from __future__ import annotations

import ctypes
from typing import NamedTuple

import pypdfium2
from pypdfium2 import raw as pdfium

OBJECTS_MAX = 10_000  # of a page that are checked
BLACK = (0, 0, 0, 255)  # what is drawn without a stated colour
WHITE_MIN = 250  # of 255, in red, green and blue
OPACITY_MIN = 5  # of 255; with less, nothing is seen
Colour = tuple[int, int, int, int]  # red, green, blue and opacity, up to 255


class Box(NamedTuple):
    """A rectangle, in points from the lower left corner of the page."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def area(self) -> float:
        """Its size in square points."""
        return (self.right - self.left) * (self.top - self.bottom)

    def contains(self, x: float, y: float) -> bool:
        """Whether a point is in it."""
        return self.left <= x <= self.right and self.bottom <= y <= self.top

    def overlaps(self, other: Box) -> bool:
        """Whether they have a point in common."""
        left, bottom, right, top = other
        return self.left <= right and left <= self.right and self.bottom <= top and bottom <= self.top

    def common(self, other: Box) -> Box:
        """What both cover; if they do not overlap, an edge is beyond the opposite one."""
        return Box(
            max(self.left, other.left),
            max(self.bottom, other.bottom),
            min(self.right, other.right),
            min(self.top, other.top),
        )


class PageObject(NamedTuple):
    """An object of a page: where it is in the order of drawing, and one of PDFium's types."""

    order: int
    type: int
    handle: pdfium.FPDF_PAGEOBJECT


class PageObjects:
    """The objects of a page.

    Args:
        page: the page.

    Attributes:
        is_complete: whether these are all objects; of a page with many more, some are left out.
        texts: the texts, by their address.
        others: all other objects, in the order in which they are drawn.
    """

    def __init__(self, page: pypdfium2.PdfPage) -> None:
        count = pdfium.FPDFPage_CountObjects(page.raw)
        self.is_complete = count <= OBJECTS_MAX
        self.texts: dict[int, PageObject] = {}
        self.others: list[PageObject] = []
        for order in range(min(count, OBJECTS_MAX)):
            handle = pdfium.FPDFPage_GetObject(page.raw, order)
            type_ = pdfium.FPDFPageObj_GetType(handle)
            if type_ == pdfium.FPDF_PAGEOBJ_TEXT:
                self.texts[address_of(handle)] = PageObject(order, type_, handle)
            else:
                self.others.append(PageObject(order, type_, handle))


def address_of(handle: pdfium.FPDF_PAGEOBJECT) -> int:
    """What identifies an object on its page; 0 for none."""
    return ctypes.addressof(handle.contents) if handle else 0


def bounds(handle: pdfium.FPDF_PAGEOBJECT) -> Box | None:
    """The box around an object; None if PDFium does not know it."""
    left, bottom, right, top = ctypes.c_float(), ctypes.c_float(), ctypes.c_float(), ctypes.c_float()
    is_known = pdfium.FPDFPageObj_GetBounds(handle, left, bottom, right, top)
    return Box(left.value, bottom.value, right.value, top.value) if is_known else None


def fill_colour(handle: pdfium.FPDF_PAGEOBJECT) -> Colour | None:
    """The colour with which an object is filled; None if it states none, as one with a pattern."""
    red, green, blue, opacity = ctypes.c_uint(), ctypes.c_uint(), ctypes.c_uint(), ctypes.c_uint()
    is_stated = pdfium.FPDFPageObj_GetFillColor(handle, red, green, blue, opacity)
    return (red.value, green.value, blue.value, opacity.value) if is_stated else None


def is_filled(path: pdfium.FPDF_PAGEOBJECT) -> bool:
    """Whether the inside of a path is painted."""
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDFPath_GetDrawMode(path, fill, stroke)
    return fill.value != int(pdfium.FPDF_FILLMODE_NONE)


def is_stroked(path: pdfium.FPDF_PAGEOBJECT) -> bool:
    """Whether the outline of a path is painted."""
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDFPath_GetDrawMode(path, fill, stroke)
    return bool(stroke.value)
