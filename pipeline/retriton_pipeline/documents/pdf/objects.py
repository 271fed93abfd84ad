"""The objects that are drawn on a PDF page: their order, kind, bounds and colour."""

from __future__ import annotations

import ctypes
from typing import NamedTuple

import pypdfium2
from pypdfium2 import raw as pdfium

OBJECTS_MAX = 10_000  # of a page that are checked
BLACK = (0, 0, 0, 255)  # what is drawn without a stated colour
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
            found = PageObject(order, pdfium.FPDFPageObj_GetType(handle), handle)
            if found.type == pdfium.FPDF_PAGEOBJ_TEXT:
                self.texts[address_of(handle)] = found
            else:
                self.others.append(found)


def address_of(handle: pdfium.FPDF_PAGEOBJECT) -> int:
    """What identifies an object on its page; 0 for none."""
    return ctypes.addressof(handle.contents) if handle else 0


def bounds(handle: pdfium.FPDF_PAGEOBJECT) -> Box | None:
    """The box around an object; None if PDFium does not know it."""
    edges = [ctypes.c_float() for _ in range(4)]
    return Box(*(edge.value for edge in edges)) if pdfium.FPDFPageObj_GetBounds(handle, *edges) else None


def fill_colour(handle: pdfium.FPDF_PAGEOBJECT) -> Colour | None:
    """The colour with which an object is filled; None if it states none, as one with a pattern."""
    colours = [ctypes.c_uint() for _ in range(4)]
    if not pdfium.FPDFPageObj_GetFillColor(handle, *colours):
        return None
    red, green, blue, opacity = (colour.value for colour in colours)
    return red, green, blue, opacity


def is_filled(path: pdfium.FPDF_PAGEOBJECT) -> bool:
    """Whether the inside of a path is painted."""
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDFPath_GetDrawMode(path, fill, stroke)
    return fill.value != int(pdfium.FPDF_FILLMODE_NONE)
