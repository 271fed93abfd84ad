"""The lines of a PDF page: what PDFium knows about its letters, put together where they stand in a row."""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2
from pypdfium2 import raw as pdfium

from retriton_pipeline.documents.pdf_line import Line, Word

_HYPHEN = 2  # PDFium's mark for a word that is broken at the end of a line
_BREAKS = (10, 13)
_NAMELESS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ufffe]")  # codes of fonts that do not say what they show
_BOLD_NAME = re.compile(r"bold|black|heavy|demi|cmbx|sfbx|-bd", re.IGNORECASE)
_FIXED_NAME = re.compile(r"mono|courier|consol|menlo|cmtt|sftt|typewriter", re.IGNORECASE)
_BOLD_WEIGHT = 600
_FONT_NAME_BYTES = 128
_WORD_GAP = 1.0  # of the size of the letters, where there is no space
_SAME_HEIGHT = 0.3
_OVERLAP_MAX = 0.6
_TOUCHING = 0.3
_NO_SPACE = 0.12


@dataclass(frozen=True)
class _Letter:
    code: int
    index: int
    left: float
    right: float
    bottom: float
    top: float


def page_lines(page: pypdfium2.PdfPage) -> list[Line]:
    """The lines of ``page`` in the order of its content, which in most files is that of reading."""
    text = page.get_textpage()
    lines: list[Line] = []
    for letters, hyphen in _runs(text):
        line = _line(text, letters, hyphen)
        if line and lines and (joined := _joined(lines[-1], line)):
            lines[-1] = joined
        elif line:
            lines.append(line)
    return lines


def _runs(text: pypdfium2.PdfTextPage) -> Iterator[tuple[list[_Letter], bool]]:
    """The letters between two breaks, and whether the second one is in a word."""
    box = pdfium.FS_RECTF()
    run: list[_Letter] = []
    for index in range(pdfium.FPDFText_CountChars(text.raw)):
        code = pdfium.FPDFText_GetUnicode(text.raw, index)
        if code in _BREAKS:
            yield run, False
            run = []
        elif code == _HYPHEN and run and chr(run[-1].code).isalpha():
            yield run, True
            run = []
        elif pdfium.FPDFText_IsGenerated(text.raw, index) == 1:
            if run:  # a space without a place of its own
                run.append(_Letter(code, index, run[-1].right, run[-1].right, run[-1].bottom, run[-1].top))
        else:
            pdfium.FPDFText_GetLooseCharBox(text.raw, index, box)
            run.append(_Letter(code, index, box.left, box.right, box.bottom, box.top))
    yield run, False


def _line(text: pypdfium2.PdfTextPage, letters: list[_Letter], hyphen: bool) -> Line | None:
    visible = [letter for letter in letters if not chr(letter.code).isspace()]
    if not visible:
        return None
    samples = (visible[0], visible[len(visible) // 2], visible[-1])
    turn = round(pdfium.FPDFText_GetCharAngle(text.raw, samples[1].index) / (math.pi / 2)) % 4
    middle = _turned(samples[1], turn)
    size = sorted(_size(text, letter) for letter in samples)[1] or 1.0  # one may be raised
    fonts = [_font(text, letter.index) for letter in samples]
    bold, fixed = all(bold for bold, _ in fonts), sum(fixed for _, fixed in fonts) > 1
    words = tuple(_words([_turned(letter, turn) for letter in letters], size))
    return Line(words, middle.bottom, middle.top, size, bold, fixed, turn, hyphen)


def _turned(letter: _Letter, turn: int) -> _Letter:
    """``letter`` on the page turned so that the text runs to the right."""
    if not turn:
        return letter
    left, right, bottom, top = letter.left, letter.right, letter.bottom, letter.top
    for _ in range(turn):
        left, right, bottom, top = -top, -bottom, left, right
    return _Letter(letter.code, letter.index, left, right, bottom, top)


def _size(text: pypdfium2.PdfTextPage, letter: _Letter) -> float:
    """The size on the page, which is rarely that of the font alone."""
    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFText_GetMatrix(text.raw, letter.index, matrix):
        return letter.top - letter.bottom
    return float(pdfium.FPDFText_GetFontSize(text.raw, letter.index)) * math.hypot(matrix.c, matrix.d)


def _font(text: pypdfium2.PdfTextPage, index: int) -> tuple[bool, bool]:
    """Whether it is bold, and whether all its letters have one width."""
    bold = pdfium.FPDFText_GetFontWeight(text.raw, index) >= _BOLD_WEIGHT
    name, flags = ctypes.create_string_buffer(_FONT_NAME_BYTES), ctypes.c_int()
    pdfium.FPDFText_GetFontInfo(text.raw, index, name, _FONT_NAME_BYTES, flags)
    font = name.value.decode("latin-1")
    return bold or bool(_BOLD_NAME.search(font)), bool(_FIXED_NAME.search(font))


def _words(letters: list[_Letter], size: float) -> Iterator[Word]:
    word: list[_Letter] = []
    for letter in letters:
        is_space = chr(letter.code).isspace()
        if word and (is_space or letter.left - word[-1].right > _WORD_GAP * size):
            yield _word(word)
            word = []
        if not is_space:
            word.append(letter)
    if word:
        yield _word(word)


def _word(letters: list[_Letter]) -> Word:
    text = "".join(chr(letter.code) for letter in letters)
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # PDFium gives halves of pairs
    left, right = min(letter.left for letter in letters), max(letter.right for letter in letters)
    return Word(_NAMELESS.sub("\ufffd", text), left, right)


def _joined(before: Line, after: Line) -> Line | None:
    """Both as one, if ``after`` goes on to the right of ``before``: PDFium breaks lines at raised signs and gaps."""
    if before.hyphen or before.turn != after.turn:
        return None
    size, gap = max(before.size, after.size), after.left - before.right
    level = abs(before.bottom - after.bottom) < _SAME_HEIGHT * size and gap > -_OVERLAP_MAX * size
    overlap = min(before.top, after.top) - max(before.bottom, after.bottom)
    raised = overlap > _TOUCHING * min(before.size, after.size) and abs(gap) < _TOUCHING * size
    if not level and not raised:
        return None
    words = before.words + after.words
    if gap < _NO_SPACE * size:
        last, first = before.words[-1], after.words[0]
        words = (*before.words[:-1], Word(last.text + first.text, last.left, first.right), *after.words[1:])
    main = before if before.size >= after.size else after
    bold, fixed = before.bold and after.bold, before.fixed and after.fixed
    return Line(words, main.bottom, main.top, size, bold, fixed, before.turn, after.hyphen)
