"""The characters of a PDF page, with position and font, as PDFium reports them."""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pypdfium2
from pypdfium2 import raw as pdfium

_HYPHEN = 2  # PDFium's code for the hyphen of a word that is broken at the end of a line
_LINE_BREAKS = (10, 13)
_BOLD_NAME = re.compile(r"bold|black|heavy|demi|cmbx|sfbx|-bd", re.IGNORECASE)
_MONOSPACED_NAME = re.compile(r"mono|courier|consol|menlo|cmtt|sftt|typewriter", re.IGNORECASE)
_BOLD_WEIGHT = 600
_FONT_NAME_BYTES = 128
_DIAGONAL = 0.1  # in quarter turns


@dataclass(frozen=True, slots=True)
class Character:
    """A character and its box, in points from the lower left corner of the page.

    Attributes:
        code: its Unicode code point, or one half of a surrogate pair.
        index: its number on the page.
        left: the left edge.
        right: the right edge.
        bottom: the lower edge.
        top: the upper edge.
    """

    code: int
    index: int
    left: float
    right: float
    bottom: float
    top: float

    def rotated(self, quarter_turns: int) -> Character:
        """The character on the page rotated counter-clockwise."""
        left, right, bottom, top = self.left, self.right, self.bottom, self.top
        for _ in range(quarter_turns):
            left, right, bottom, top = -top, -bottom, left, right
        return Character(self.code, self.index, left, right, bottom, top) if quarter_turns else self


def character_runs(
    text: pypdfium2.PdfTextPage, is_hidden: Callable[[int, pdfium.FS_RECTF], bool]
) -> Iterator[tuple[list[Character], bool]]:
    """The visible characters between two line breaks, and whether the second break is within a word (a hyphen).

    Args:
        text: of a page.
        is_hidden: whether the character with a number and a box is not seen.
    """
    box = pdfium.FS_RECTF()
    run: list[Character] = []
    for index in range(pdfium.FPDFText_CountChars(text.raw)):
        code = pdfium.FPDFText_GetUnicode(text.raw, index)
        if code in _LINE_BREAKS:
            yield run, False
            run = []
        elif code == _HYPHEN and run and chr(run[-1].code).isalpha():
            yield run, True
            run = []
        elif pdfium.FPDFText_IsGenerated(text.raw, index) == 1:
            if run:  # a space that PDFium inserts; it has no box
                run.append(Character(code, index, run[-1].right, run[-1].right, run[-1].bottom, run[-1].top))
        else:
            pdfium.FPDFText_GetLooseCharBox(text.raw, index, box)
            if not is_hidden(index, box):
                run.append(Character(code, index, box.left, box.right, box.bottom, box.top))
    yield run, False


def rotation(text: pypdfium2.PdfTextPage, character: Character) -> tuple[int, bool]:
    """The direction of the text, in quarter turns, and whether it is between them."""
    turns = float(pdfium.FPDFText_GetCharAngle(text.raw, character.index)) / (math.pi / 2)
    return round(turns) % 4, abs(turns - round(turns)) > _DIAGONAL


def font_size(text: pypdfium2.PdfTextPage, character: Character) -> float:
    """The size in points as displayed: that of the font, scaled by the text matrix."""
    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFText_GetMatrix(text.raw, character.index, matrix):
        return character.top - character.bottom
    return float(pdfium.FPDFText_GetFontSize(text.raw, character.index)) * math.hypot(matrix.c, matrix.d)


def font_style(text: pypdfium2.PdfTextPage, character: Character) -> tuple[bool, bool]:
    """Whether the font is bold, and whether it is monospaced."""
    bold = pdfium.FPDFText_GetFontWeight(text.raw, character.index) >= _BOLD_WEIGHT
    buffer, flags = ctypes.create_string_buffer(_FONT_NAME_BYTES), ctypes.c_int()
    pdfium.FPDFText_GetFontInfo(text.raw, character.index, buffer, _FONT_NAME_BYTES, flags)
    name = buffer.value.decode("latin-1")
    return bold or bool(_BOLD_NAME.search(name)), bool(_MONOSPACED_NAME.search(name))
