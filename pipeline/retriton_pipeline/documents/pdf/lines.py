"""Assembles the characters of a PDF page into words and lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pypdfium2

from retriton_pipeline.documents.pdf.characters import Character, character_runs, font_size, font_style, rotation
from retriton_pipeline.documents.pdf.forms import with_form_values
from retriton_pipeline.documents.pdf.line import Line, Word
from retriton_pipeline.documents.pdf.visibility import Visibility

_UNMAPPED = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ufffe]")  # codes of fonts without a mapping to Unicode
_WATERMARK_SIZE_MIN = 20.0  # in points; smaller diagonal text names the columns of tables and charts
# In font sizes:
_WORD_GAP = 1.0  # separates words without a space between them
_BASELINE_TOLERANCE = 0.3
_OVERLAP_MAX = 0.6
_ADJACENT_GAP = 0.3
_SAME_WORD_GAP = 0.12

_WORDS_MAX = 1000  # of a line that is joined with the next: joining copies them


def page_lines(page: pypdfium2.PdfPage) -> list[Line]:
    """The lines of ``page`` in content order, which in most files is the reading order, with values of forms."""
    text = page.get_textpage()
    lines: list[Line] = []
    for characters, hyphenated in character_runs(text, Visibility(page, text).is_hidden):
        line = _line(text, characters, hyphenated)
        if line and lines and (merged := _merged(lines[-1], line)):
            lines[-1] = merged
        elif line:
            lines.append(line)
    return with_form_values(lines, page)


def _line(text: pypdfium2.PdfTextPage, characters: list[Character], hyphenated: bool) -> Line | None:
    visible = [character for character in characters if not chr(character.code).isspace()]
    if not visible:
        return None
    samples = (visible[0], visible[len(visible) // 2], visible[-1])
    turns, is_diagonal = rotation(text, samples[1])
    middle = samples[1].rotated(turns)
    size = sorted(font_size(text, sample) for sample in samples)[1] or 1.0  # the median: one may be a superscript
    if is_diagonal and size > _WATERMARK_SIZE_MIN:
        return None
    styles = [font_style(text, sample) for sample in samples]
    bold, monospaced = all(bold for bold, _ in styles), sum(monospaced for _, monospaced in styles) > 1
    words = tuple(_words([character.rotated(turns) for character in characters], size))
    return Line(words, middle.bottom, middle.top, size, bold, monospaced, turns, hyphenated)


def _words(characters: list[Character], size: float) -> Iterator[Word]:
    word: list[Character] = []
    for character in characters:
        is_space = chr(character.code).isspace()
        if word and (is_space or character.left - word[-1].right > _WORD_GAP * size):
            yield _word(word)
            word = []
        if not is_space:
            word.append(character)
    if word:
        yield _word(word)


def _word(characters: list[Character]) -> Word:
    text = "".join(chr(character.code) for character in characters)
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # joins surrogate pairs
    left, right = min(character.left for character in characters), max(character.right for character in characters)
    return Word(_UNMAPPED.sub("\ufffd", text), left, right)


def _merged(before: Line, after: Line) -> Line | None:
    """Both as one line if ``after`` continues ``before`` to the right: PDFium breaks lines at superscripts and gaps."""
    if before.hyphenated or before.rotation != after.rotation or len(before.words) > _WORDS_MAX:
        return None
    size, gap = max(before.font_size, after.font_size), after.left - before.right
    same_baseline = abs(before.bottom - after.bottom) < _BASELINE_TOLERANCE * size and gap > -_OVERLAP_MAX * size
    overlap = min(before.top, after.top) - max(before.bottom, after.bottom)
    is_raised = overlap > _ADJACENT_GAP * min(before.font_size, after.font_size) and abs(gap) < _ADJACENT_GAP * size
    if not same_baseline and not is_raised:
        return None
    words = before.words + after.words
    if gap < _SAME_WORD_GAP * size:
        last, first = before.words[-1], after.words[0]
        words = (*before.words[:-1], Word(last.text + first.text, last.left, first.right), *after.words[1:])
    larger = before if before.font_size >= after.font_size else after
    bold, monospaced = before.bold and after.bold, before.monospaced and after.monospaced
    return Line(words, larger.bottom, larger.top, larger.font_size, bold, monospaced, before.rotation, after.hyphenated)
