"""The fonts of the characters of a PDF page: bold, monospaced, or of the large brackets of formulas."""

from __future__ import annotations

import ctypes
import re
from functools import lru_cache

import pypdfium2
from pypdfium2 import raw as pdfium

_BOLD_NAME = re.compile(r"bold|black|heavy|demi|cmbx|sfbx|-bd", re.IGNORECASE)
_MONOSPACED_NAME = re.compile(r"mono|courier|consol|menlo|cmtt|sftt|typewriter", re.IGNORECASE)
_SYMBOLS_NAME = re.compile(r"(?:cm|lm|tx|px)(?:ex|sy)|ms[ab]m|mathextension|symbol", re.IGNORECASE)
_LARGE_BRACKETS_NAME = re.compile(r"(?:cm|lm|tx|px)ex|mathextension", re.IGNORECASE)
# What the codes from 0 mean in TeX's encoding of large brackets; the parts of vertical lines are left out.
LARGE_BRACKETS = "()[]⌊⌋⌈⌉{}⟨⟩  /\\()()[]⌊⌋⌈⌉{}⟨⟩/\\"
_BOLD_WEIGHT = 600
_FIXED_PITCH = 1  # a flag of fonts
_LETTERS, _ASCII_MAX = "ilmW.", 127
_WIDTH_MIN, _WIDTH_MAX = 0.45, 0.75  # of monospaced letters, in font sizes
_NAME_BYTES = 128


def font_style(text: pypdfium2.PdfTextPage, index: int) -> tuple[bool, bool]:
    """Whether the font of a character is bold, and whether it is monospaced."""
    name, flags = _font(text.raw, index)
    bold, monospaced, has_letters = _named_style(name)
    bold = bold or pdfium.FPDFText_GetFontWeight(text.raw, index) >= _BOLD_WEIGHT
    return bold, monospaced or (has_letters and bool(flags & _FIXED_PITCH))


def has_large_brackets(text: pdfium.FPDF_TEXTPAGE, index: int) -> bool:
    """Whether the font of a character has the large brackets of TeX."""
    return _LARGE_BRACKETS_NAME.search(_font(text, index)[0].decode("latin-1")) is not None


def _font(text: pdfium.FPDF_TEXTPAGE, index: int) -> tuple[bytes, int]:
    """The name and the flags of the font of a character."""
    buffer, flags = ctypes.create_string_buffer(_NAME_BYTES), ctypes.c_int()
    pdfium.FPDFText_GetFontInfo(text, index, buffer, _NAME_BYTES, flags)
    return buffer.value, flags.value


@lru_cache(maxsize=256)
def _named_style(font: bytes) -> tuple[bool, bool, bool]:
    """Whether a font is bold, whether it is monospaced, and whether it has letters, by its name."""
    name = font.decode("latin-1")
    return bool(_BOLD_NAME.search(name)), bool(_MONOSPACED_NAME.search(name)), not _SYMBOLS_NAME.search(name)


def has_one_width(text: pypdfium2.PdfTextPage, index: int) -> bool:
    """Whether all letters of the font of an ASCII character are as wide; fonts do not always state that they are."""
    if pdfium.FPDFText_GetUnicode(text.raw, index) > _ASCII_MAX:
        return False
    font, width = pdfium.FPDFTextObj_GetFont(pdfium.FPDFText_GetTextObject(text.raw, index)), ctypes.c_float()
    widths = set()
    for letter in _LETTERS:
        is_known = pdfium.FPDFFont_GetGlyphWidth(font, ord(letter), 1.0, width)
        widths.add(width.value)
        if not is_known or len(widths) > 1:
            return False
    return _WIDTH_MIN < width.value < _WIDTH_MAX and _named_style(_font(text.raw, index)[0])[2]
