"""Removes running headers, running footers and page numbers from the pages of a PDF."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from retriton_pipeline.documents.pdf.line import Line

_MARGIN_LINES = 3  # the first and the last lines of a page
_PAGES_MIN = 3
_PAGE_DISTANCE_MAX = 2  # left and right pages may have different headers
_SHORT_WORDS = 6
_PAGE_DIGITS_MAX = 5
_NUMBER_SIZE_MAX = 1.2  # of the size of most words; larger ones are headings ("Lesson 3")
_PARAGRAPH_DISTANCE_MAX = 1.6  # in font sizes
_SIZE_TOLERANCE = 0.1
_HEIGHT_STEP = 3.0  # points within which lines are at the same height
_Key = tuple[str, int, int]


def without_headers_and_footers(pages: Sequence[list[Line]]) -> list[list[Line]]:
    """``pages`` without the lines that are repeated at the same place in the margins of consecutive pages.

    Lines next to one that is not repeated are kept: they are a part of its paragraph.
    The first occurrence of a line with words is kept, since it may be the title.
    """
    pages = _without_page_numbers(pages)
    repeated = _repeated(pages)
    seen: set[_Key] = set()
    kept: list[list[Line]] = []
    for number, lines in enumerate(pages):
        candidates = [line for line in _margin(lines) if number in repeated.get(_key(line), ())]
        if len(pages) < _PAGES_MIN:
            candidates = _outermost(candidates, lines)
        identities = set(map(id, candidates))
        others = [line for line in lines if id(line) not in identities]
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
        and _HEIGHT_STEP < abs(line.bottom - other.bottom) < _PARAGRAPH_DISTANCE_MAX * line.font_size
        and line.left < other.right
        and other.left < line.right
    )


def _without_page_numbers(pages: Sequence[list[Line]]) -> list[list[Line]]:
    """``pages`` without the rows that contain a number at the same height that increases by one on each page."""
    size_max = _NUMBER_SIZE_MAX * _usual_size(pages)
    margins = [[line for line in _margin(lines) if line.font_size <= size_max] for lines in pages]
    found = Counter(
        place
        for page, margin in enumerate(margins)
        for place in {place for line in margin for place in _number_places(line, page)}
    )
    place, count = max(found.items(), key=lambda item: item[1], default=((0, 0), 0))
    if count < max(_pages_min(len(pages)), len(pages) / 2) or (len(pages) < _PAGES_MIN and place[0] != 1):
        return list(pages)
    return [
        _without_rows(lines, [line for line in margin if place in _number_places(line, page)])
        for page, (lines, margin) in enumerate(zip(pages, margins, strict=True))
    ]


def _usual_size(pages: Sequence[list[Line]]) -> float:
    """The font size of most words."""
    words = Counter[float]()
    for lines in pages:
        for line in lines:
            words[round(line.font_size, 1)] += len(line.words)
    return max(words, key=lambda size: words[size], default=0.0)


def _without_rows(lines: list[Line], removed: list[Line]) -> list[Line]:
    """``lines`` without those at the height of one that is ``removed``."""
    return [line for line in lines if not any(abs(line.bottom - other.bottom) < _HEIGHT_STEP for other in removed)]


def _number_places(line: Line, page: int) -> set[tuple[int, int]]:
    """The offset from ``page`` and the height of each number that may be a page number."""
    return {(number - page, round(line.bottom / _HEIGHT_STEP)) for number in _numbers(line)}


def _numbers(line: Line) -> set[int]:
    """The numbers at the ends of a line; all numbers of a short one ("Page 3 of 9")."""
    words = line.text.split()
    candidates = words if len(words) <= _SHORT_WORDS else (words[0], words[-1])
    return {int(word) for word in candidates if word.isdecimal() and len(word) < _PAGE_DIGITS_MAX}


def _repeated(pages: Sequence[list[Line]]) -> dict[_Key, set[int]]:
    """For each line in the margins, the pages of the series that it is repeated on."""
    on_pages: defaultdict[_Key, list[int]] = defaultdict(list)
    for number, lines in enumerate(pages):
        for key in {_key(line) for line in _margin(lines)}:
            on_pages[key].append(number)
    least = _pages_min(len(pages))
    return {key: set().union(*_series(numbers, least)) for key, numbers in on_pages.items() if len(numbers) >= least}


def _outermost(candidates: list[Line], lines: list[Line]) -> list[Line]:
    """Those of ``candidates`` that are in the first or the last row of a page with ``lines``, if others are between."""
    bottoms = [line.bottom for line in lines if not line.rotation]
    ends = [min(bottoms, default=0.0), max(bottoms, default=0.0)]
    found = [line for line in candidates if any(abs(line.bottom - end) < _HEIGHT_STEP for end in ends)]
    return found if len(lines) > len(found) + _MARGIN_LINES else []


def _pages_min(pages: int) -> int:
    """The number of pages on which something is repeated that is no coincidence; of two pages, both."""
    return min(max(pages, 2), _PAGES_MIN)


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


def _margin(lines: list[Line]) -> list[Line]:
    by_height = sorted((line for line in lines if not line.rotation), key=lambda line: line.bottom)
    return by_height[:_MARGIN_LINES] + by_height[_MARGIN_LINES:][-_MARGIN_LINES:]


def _key(line: Line) -> _Key:
    """The text, height and font size, which identify a repeated line."""
    return line.text, round(line.bottom / _HEIGHT_STEP), round(line.font_size)
