"""Removes page numbers from the pages of a PDF, but not headings that are numbered as the pages are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from retriton_pipeline.documents.pdf.line import Line
from retriton_pipeline.documents.pdf.margins import HEIGHT_STEP, PAGES_MIN, margin, pages_min

_SHORT_WORDS = 6
_DIGITS_MAX = 5
_SIZE_MAX = 1.2  # of the size of most words; larger ones are headings ("Lesson 3")
_PAGE_WORDS = {
    "page", "pages", "p", "pp", "pg", "of", "seite", "seiten", "s", "von", "sur", "de", "página", "pagina", "pág",
    "pag", "di", "strona", "z", "sida", "side", "av", "af", "sivu", "blz", "van", "sayfa", "стр", "страница", "из",
    "ページ", "页", "쪽",
}  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+")
_Place = tuple[int, int]  # the offset from the page, and the height, in steps


def without_page_numbers(pages: Sequence[list[Line]]) -> list[list[Line]]:
    """``pages`` without the rows that contain a number at the same height that increases by one on each page.

    Of several such numbers, one that stands alone is the page number. Large and bold lines with words are headings.
    """
    size_max = _SIZE_MAX * _usual_size(pages)
    is_bold = _is_mostly_bold(pages)
    margins = [list(_candidates(lines, size_max, is_bold)) for lines in pages]
    place = _page_number_place(margins)
    if place is None:
        return list(pages)
    return [
        _without_rows(lines, [line for line in candidates if place in _places(line, page)])
        for page, (lines, candidates) in enumerate(zip(pages, margins, strict=True))
    ]


def _candidates(lines: list[Line], size_max: float, is_bold: bool) -> Iterator[Line]:
    """The lines in the margins that may have a page number.

    Args:
        lines: of a page.
        size_max: larger lines are headings.
        is_bold: whether most of the text is bold, so that headings are not known by it.
    """
    bottoms = [line.bottom for line in lines if not line.rotation]
    middle = (min(bottoms, default=0.0) + max(bottoms, default=0.0)) / 2
    for line in margin(lines):
        is_heading = line.font_size > size_max or (
            line.bold and not is_bold and line.bottom > middle and len(line.cells) == 1
        )
        if _names_page(line) or not (is_heading and (line.font_size > size_max or _WORD.search(line.text))):
            yield line


def _page_number_place(margins: Sequence[Sequence[Line]]) -> _Place | None:
    """Where most page numbers are; None if no numbers increase with the pages."""
    found, alone = Counter[_Place](), Counter[_Place]()
    for page, lines in enumerate(margins):
        found.update({place for line in lines for place in _places(line, page)})
        alone.update({place for line in lines if _is_alone(line) for place in _places(line, page)})
    least = max(pages_min(len(margins)), len(margins) / 2)
    place = max(found, key=lambda place: (alone[place] >= least, found[place]), default=None)
    is_page_number = place is not None and found[place] >= least and (len(margins) >= PAGES_MIN or place[0] == 1)
    return place if is_page_number else None


def _names_page(line: Line) -> bool:
    """Whether all words of ``line`` are those of page numbers, such as "Page 3 of 9"."""
    words = _WORD.findall(line.text.lower())
    return bool(words) and _PAGE_WORDS.issuperset(words)


def _is_alone(line: Line) -> bool:
    """Whether ``line`` has a cell that is only a page number."""
    return any(_PAGE_WORDS.issuperset(_WORD.findall(cell.text.lower())) for cell in line.cells)


def _usual_size(pages: Sequence[list[Line]]) -> float:
    """The font size of most words."""
    words = Counter[float]()
    for lines in pages:
        for line in lines:
            words[round(line.font_size, 1)] += len(line.words)
    return max(words, key=lambda size: words[size], default=0.0)


def _is_mostly_bold(pages: Sequence[list[Line]]) -> bool:
    lines = [line for lines in pages for line in lines]
    return sum(len(line.words) for line in lines if line.bold) > sum(len(line.words) for line in lines) / 2


def _without_rows(lines: list[Line], removed: list[Line]) -> list[Line]:
    """``lines`` without those at the height of one that is ``removed``."""
    return [line for line in lines if not any(abs(line.bottom - other.bottom) < HEIGHT_STEP for other in removed)]


def _places(line: Line, page: int) -> set[_Place]:
    """The offset from ``page`` and the height of each number that may be a page number."""
    return {(number - page, round(line.bottom / HEIGHT_STEP)) for number in _numbers(line)}


def _numbers(line: Line) -> set[int]:
    """The numbers at the ends of a line; all numbers of a short one ("Page 3 of 9")."""
    words = line.text.split()
    candidates = words if len(words) <= _SHORT_WORDS else (words[0], words[-1])
    return {int(word) for word in candidates if word.isdecimal() and len(word) < _DIGITS_MAX}
