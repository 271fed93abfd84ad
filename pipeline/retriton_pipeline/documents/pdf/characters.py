"""The characters of a PDF page, with position and font, as PDFium reports them."""

from __future__ import annotations

import ctypes
import math
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat

import numpy as np
import pypdfium2
from numpy.typing import NDArray
from pypdfium2 import raw as pdfium

from retriton_pipeline.documents.pdf.fonts import LARGE_BRACKETS, has_large_brackets

SPACE = 32
LINE_BREAKS = (10, 13)
_HYPHEN = 2  # PDFium's code for the hyphen of a word that is broken at the end of a line
_UNCERTAIN = 0xFFFE  # a hyphen, or a character without a code
_SURROGATES = range(0xD800, 0xE000)
_RUN_END = re.compile(f"[{chr(_HYPHEN)}\r\n]")
_DIAGONAL = 0.1  # in quarter turns
_BOX_BYTES = ctypes.sizeof(pdfium.FS_RECTF)
# In heights of characters:
_ROW_DISTANCE_MIN = 0.5
_HEIGHT_TOLERANCE = 0.1
_INDENT_MAX = 2.0  # of a row, from the start of the one above
_RETURN_MIN = 10.0  # to the left, if the row lacks its first cells


@dataclass(frozen=True, slots=True)
class Boxes:
    """The edges of characters, in points from the lower left corner of the page."""

    left: list[float]
    bottom: list[float]
    right: list[float]
    top: list[float]

    def rotated(self, quarter_turns: int) -> Boxes:
        """The boxes on the page rotated counter-clockwise."""
        boxes = self
        for _ in range(quarter_turns):
            left, right = [-edge for edge in boxes.top], [-edge for edge in boxes.bottom]
            boxes = Boxes(left, boxes.left, right, boxes.right)
        return boxes


@dataclass(frozen=True, slots=True)
class Run:
    """The visible characters between two line breaks.

    Attributes:
        text: one Unicode character, or one half of a surrogate pair, for each.
        indices: their numbers on the page.
        boxes: their boxes; those of spaces are not always known.
        hyphenated: whether the second break is within a word.
    """

    text: str
    indices: list[int]
    boxes: Boxes
    hyphenated: bool


@dataclass(frozen=True, slots=True)
class Characters:
    """All characters of a page.

    Attributes:
        codes: their Unicode code points, or halves of surrogate pairs.
        boxes: a row for each, with the left, the lower, the right and the upper edge in points from the lower left
            corner of the page.
    """

    codes: NDArray[np.uint32]
    boxes: NDArray[np.float64]

    @classmethod
    def of(cls, text: pypdfium2.PdfTextPage) -> Characters:
        """The characters of the page with ``text``."""
        count = pdfium.FPDFText_CountChars(text.raw)
        return cls(_codes(text.raw, count), _boxes(text.raw, count))

    def runs(self, hidden: NDArray[np.bool_]) -> Iterator[Run]:
        """The lines of PDFium, without the characters that are ``hidden``; those with several rows are separated."""
        kept = np.flatnonzero(~hidden)
        codes, boxes = self.codes[kept], self.boxes[kept]
        text = "".join(map(chr, codes.tolist()))
        rows = ((place, place) for place in _row_starts(codes, boxes))
        start = 0
        for end, following in [*sorted([*map(re.Match.span, _RUN_END.finditer(text)), *rows]), (len(text), len(text))]:
            hyphenated = text[end:following] == chr(_HYPHEN)
            if hyphenated and not text[max(end - 1, 0)].isalpha():
                continue
            if end == following < len(text) and (end == start or not _starts_row(boxes[start:end], boxes[end])):
                continue
            yield Run(text[start:end], kept[start:end].tolist(), Boxes(*boxes[start:end].T.tolist()), hyphenated)
            start = following


def _row_starts(codes: NDArray[np.uint32], boxes: NDArray[np.float64]) -> list[int]:
    """The places of characters that are further down than the one before, and further to the left, or above it."""
    visible = np.flatnonzero(codes > SPACE)
    left, bottom, _, top = boxes[visible].T
    heights = top - bottom
    is_alike = np.abs(np.diff(heights)) < _HEIGHT_TOLERANCE * heights[1:]  # the limits of a sum are smaller than it
    is_above = is_alike & (bottom[1:] > top[:-1])
    is_below = bottom[1:] < bottom[:-1] - _ROW_DISTANCE_MIN * heights[:-1]
    starts: list[int] = visible[1:][is_above | (is_below & (left[1:] < left[:-1]))].tolist()
    return starts


def _starts_row(line: NDArray[np.float64], box: NDArray[np.float64]) -> bool:
    """Whether the character at ``box`` starts another row than ``line``; otherwise it may be a part of a formula.

    PDFium takes the rows of some tables for one line, and the end of a cell and the next column.
    """
    left, bottom, _, top = box
    height = top - bottom
    return bool(
        bottom > line[-1, 3] or left < line[0, 0] + _INDENT_MAX * height or left < line[-1, 0] - _RETURN_MIN * height
    )


def _codes(text: pdfium.FPDF_TEXTPAGE, count: int) -> NDArray[np.uint32]:
    buffer = (ctypes.c_ushort * (count + 1))()
    written = pdfium.FPDFText_GetText(text, 0, count, buffer)
    codes = np.ctypeslib.as_array(buffer)[:count].astype(np.uint32)
    uncertain = (codes == _UNCERTAIN) | (written != count + 1)  # the text may not have one unit for each character
    uncertain |= bool(np.any((codes >= _SURROGATES.start) & (codes < _SURROGATES.stop)))
    for index in np.flatnonzero(uncertain).tolist():
        codes[index] = pdfium.FPDFText_GetUnicode(text, index)
    for index in np.flatnonzero((codes < SPACE) & ~np.isin(codes, LINE_BREAKS)).tolist():
        if has_large_brackets(text, index):
            codes[index] = ord(LARGE_BRACKETS[codes[index]])
    return codes


def _boxes(text: pdfium.FPDF_TEXTPAGE, count: int) -> NDArray[np.float64]:
    boxes = (pdfium.FS_RECTF * (count + 1))()
    targets = map(ctypes.byref, repeat(boxes[0]), range(0, count * _BOX_BYTES, _BOX_BYTES))
    deque(map(pdfium.FPDFText_GetLooseCharBox, repeat(text), range(count), targets), maxlen=0)
    edges = np.frombuffer(memoryview(boxes).cast("B"), np.float32).reshape(-1, 4)[:count]
    return edges.astype(np.float64)[:, [0, 3, 2, 1]]  # FS_RECTF: left, top, right, bottom


def rotation(text: pypdfium2.PdfTextPage, index: int) -> tuple[int, bool]:
    """The direction of the text at a character, in quarter turns, and whether it is between them."""
    turns = float(pdfium.FPDFText_GetCharAngle(text.raw, index)) / (math.pi / 2)
    return round(turns) % 4, abs(turns - round(turns)) > _DIAGONAL


def font_size(text: pypdfium2.PdfTextPage, index: int) -> float | None:
    """The size in points of a character as displayed: that of the font, scaled by the text matrix; None if unknown."""
    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFText_GetMatrix(text.raw, index, matrix):
        return None
    return float(pdfium.FPDFText_GetFontSize(text.raw, index)) * math.hypot(matrix.c, matrix.d)
