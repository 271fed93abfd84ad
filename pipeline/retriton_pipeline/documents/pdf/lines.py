"""Assembles the characters of a PDF page into words and lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise, starmap
from operator import sub

import pypdfium2

from retriton_pipeline.documents.pdf.characters import Boxes, Characters, Run, font_size, rotation
from retriton_pipeline.documents.pdf.drawn_bullets import with_drawn_bullets
from retriton_pipeline.documents.pdf.fonts import font_style, has_one_width
from retriton_pipeline.documents.pdf.forms import with_form_values
from retriton_pipeline.documents.pdf.line import Line, Word
from retriton_pipeline.documents.pdf.objects import Box, PageObjects
from retriton_pipeline.documents.pdf.ruled_tables import with_grids
from retriton_pipeline.documents.pdf.rules import page_bands, page_rules
from retriton_pipeline.documents.pdf.visibility import hidden_characters

_UNMAPPED = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ufffe]")  # codes of fonts without a mapping to Unicode
_NO_SPACES = re.compile(r"\S+")
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
    characters = Characters.of(text)
    lines: list[Line] = []
    objects = PageObjects(page)
    for run in characters.runs(hidden_characters(page, text, characters, objects)):
        line = _line(text, run)
        if line and lines and (merged := _merged(lines[-1], line)):
            lines[-1] = merged
        elif line:
            lines.append(line)
    box = Box(*page.get_bbox())
    lines = with_drawn_bullets(lines, objects.others)
    return with_grids(with_form_values(lines, page), page_rules(box, objects.others), page_bands(box, objects.others))


def _line(text: pypdfium2.PdfTextPage, run: Run) -> Line | None:
    spans = [match.span() for match in _NO_SPACES.finditer(run.text)]
    visible = list(chain.from_iterable(starmap(range, spans)))
    if not visible:
        return None
    places = (visible[0], visible[len(visible) // 2], visible[-1])
    samples = [run.indices[place] for place in places]
    turns, is_diagonal = rotation(text, samples[1])
    size = _size(text, run, places)
    if is_diagonal and size > _WATERMARK_SIZE_MIN:
        return None
    styles = [font_style(text, sample) for sample in samples]
    bold, monospaced = all(bold for bold, _ in styles), sum(monospaced for _, monospaced in styles) > 1
    monospaced = monospaced or has_one_width(text, samples[1])
    boxes = run.boxes.rotated(turns)
    words = tuple(_words(run.text, spans, boxes, _WORD_GAP * size))
    return Line(words, boxes.bottom[places[1]], boxes.top[places[1]], size, bold, monospaced, turns, run.hyphenated)


def _size(text: pypdfium2.PdfTextPage, run: Run, places: Sequence[int]) -> float:
    """The median font size of the characters at ``places``: one of them may be a superscript."""
    sizes = (font_size(text, run.indices[place]) for place in places)
    heights = (run.boxes.top[place] - run.boxes.bottom[place] for place in places)
    return sorted(height if size is None else size for size, height in zip(sizes, heights, strict=True))[1] or 1.0


def _words(text: str, spans: Iterable[tuple[int, int]], boxes: Boxes, gap_max: float) -> Iterator[Word]:
    """The words of ``text`` at ``spans``, which are separated at gaps wider than ``gap_max``."""
    gaps = [0.0, *map(sub, boxes.left[1:], boxes.right)]  # to the character before
    for start, end in spans:
        borders = [start, end]
        if max(gaps[start + 1 : end], default=0.0) > gap_max:
            borders[1:1] = [index for index in range(start + 1, end) if gaps[index] > gap_max]
        for first, last in pairwise(borders):
            yield Word(_valid(text[first:last]), min(boxes.left[first:last]), max(boxes.right[first:last]))


def _valid(word: str) -> str:
    if word.isascii() and word.isprintable():
        return word
    word = word.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # joins surrogate pairs
    return _UNMAPPED.sub("\ufffd", word)


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
