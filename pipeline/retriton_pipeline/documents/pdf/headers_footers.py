"""Removes running headers, running footers and page numbers from the pages of a PDF."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from retriton_pipeline.documents.pdf.line import Line
from retriton_pipeline.documents.pdf.margins import HEIGHT_STEP, MARGIN_LINES, PAGES_MIN, margin, pages_min
from retriton_pipeline.documents.pdf.page_numbers import without_page_numbers

_PAGE_DISTANCE_MAX = 2  # left and right pages may have different headers
_PARAGRAPH_DISTANCE_MAX = 1.6  # in font sizes
_SIZE_TOLERANCE = 0.1
_Key = tuple[str, int, int]


def without_headers_and_footers(pages: Sequence[list[Line]]) -> list[list[Line]]:
    """``pages`` without the lines that are repeated at the same place in the margins of consecutive pages.

    Lines next to one that is not repeated are kept: they are a part of its paragraph.
    Pages that repeat a whole one are kept.
    The first occurrence of a line with words is kept, since it may be the title.
    """
    pages = without_page_numbers(pages)
    repeated = _repeated(pages)
    seen: set[_Key] = set()
    kept: list[list[Line]] = []
    whole: set[frozenset[_Key]] = set()
    for number, lines in enumerate(pages):
        candidates = [line for line in margin(lines) if number in repeated.get(_key(line), ())]
        if len(pages) < PAGES_MIN:
            candidates = _outermost(candidates, lines)
        identities = set(map(id, candidates))
        others = [line for line in lines if id(line) not in identities]
        page = frozenset(map(_key, lines))
        if others and page in whole:
            kept.append(list(lines))
            continue
        whole.add(page)
        running = {id(line) for line in candidates if not any(_is_paragraph(line, other) for other in others)}
        kept.append([])
        for line in lines:
            key = _key(line)
            is_first = key not in seen and any(character.isalpha() for character in key[0])
            if id(line) not in running or is_first:
                kept[-1].append(line)
            if id(line) in running:
                seen.add(key)
    return kept


def _is_paragraph(line: Line, other: Line) -> bool:
    """Whether two lines are of one paragraph, a part of which can be the same on several pages."""
    return (
        abs(line.font_size - other.font_size) < _SIZE_TOLERANCE * line.font_size
        and HEIGHT_STEP < abs(line.bottom - other.bottom) < _PARAGRAPH_DISTANCE_MAX * line.font_size
        and line.left < other.right
        and other.left < line.right
    )


def _repeated(pages: Sequence[list[Line]]) -> dict[_Key, set[int]]:
    """For each line in the margins, the pages of the series that it is repeated on."""
    on_pages: defaultdict[_Key, list[int]] = defaultdict(list)
    for number, lines in enumerate(pages):
        for key in {_key(line) for line in margin(lines)}:
            on_pages[key].append(number)
    least = pages_min(len(pages))
    return {key: set().union(*_series(numbers, least)) for key, numbers in on_pages.items() if len(numbers) >= least}


def _outermost(candidates: list[Line], lines: list[Line]) -> list[Line]:
    """Those of ``candidates`` that are in the first or the last row of a page with ``lines``, if others are between."""
    bottoms = [line.bottom for line in lines if not line.rotation]
    ends = [min(bottoms, default=0.0), max(bottoms, default=0.0)]
    found = [line for line in candidates if any(abs(line.bottom - end) < HEIGHT_STEP for end in ends)]
    return found if len(lines) > len(found) + MARGIN_LINES else []


def _series(numbers: list[int], least: int) -> list[set[int]]:
    """The runs of at least ``least`` page numbers with small distances."""
    series: list[set[int]] = [set()]
    last = 0
    for number in numbers:
        if series[-1] and number - last > _PAGE_DISTANCE_MAX:
            series.append(set())
        series[-1].add(number)
        last = number
    return [members for members in series if len(members) >= least]


def _key(line: Line) -> _Key:
    """The text, height and font size, which identify a repeated line."""
    return line.text, round(line.bottom / HEIGHT_STEP), round(line.font_size)
