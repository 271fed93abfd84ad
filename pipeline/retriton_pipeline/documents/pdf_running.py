"""What is printed on every page of a PDF: running headers, footers and page numbers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from retriton_pipeline.documents.pdf_line import Line

_MARGIN_LINES = 3  # from the upper and from the lower edge of the text
_PAGES_MIN = 3
_PAGES_APART_MAX = 2  # left and right pages may differ
_SHORT_WORDS = 6
_PAGE_DIGITS_MAX = 5
_ROW_HEIGHT = 3.0
_Key = tuple[str, int, int]


def without_running(pages: Sequence[list[Line]]) -> list[list[Line]]:
    """``pages`` without the lines that stand at the same place in the margin of several pages in a row.

    Of those with words, the first one stays: it may be a title that is repeated.
    """
    pages = _without_page_numbers(pages)
    repeated = _repeated(pages)
    seen: set[_Key] = set()
    kept: list[list[Line]] = []
    for number, lines in enumerate(pages):
        running = {id(line) for line in _margin(lines) if number in repeated.get(_key(line), ())}
        kept.append([])
        for line in lines:
            key = _key(line)
            first = key not in seen and any(character.isalpha() for character in key[0])
            if id(line) not in running or first:
                kept[-1].append(line)
            if id(line) in running:
                seen.add(key)
    return kept


def _without_page_numbers(pages: Sequence[list[Line]]) -> list[list[Line]]:
    """``pages`` without the rows that show the number of the page: at one height, and one more on every page."""
    found = Counter(
        place
        for page, lines in enumerate(pages)
        for place in {place for line in _margin(lines) for place in _places(line, page)}
    )
    place, count = max(found.items(), key=lambda item: item[1], default=((0, 0), 0))
    if count < max(_PAGES_MIN, len(pages) / 2):
        return list(pages)
    return [
        _without_row(lines, [line for line in _margin(lines) if place in _places(line, page)])
        for page, lines in enumerate(pages)
    ]


def _without_row(lines: list[Line], numbers: list[Line]) -> list[Line]:
    return [line for line in lines if not any(abs(line.bottom - number.bottom) < _ROW_HEIGHT for number in numbers)]


def _places(line: Line, page: int) -> set[tuple[int, int]]:
    """Each number in it less that of the page, and its height."""
    return {(number - page, round(line.bottom / _ROW_HEIGHT)) for number in _numbers(line)}


def _numbers(line: Line) -> set[int]:
    """Those that may be the number of the page: at its ends, or anywhere if it is short ("Page 3 of 9")."""
    words = line.text.split()
    candidates = words if len(words) <= _SHORT_WORDS else (words[0], words[-1])
    return {int(word) for word in candidates if word.isdecimal() and len(word) < _PAGE_DIGITS_MAX}


def _repeated(pages: Sequence[list[Line]]) -> dict[_Key, set[int]]:
    """The pages on which each line of the margins is one of a series."""
    on_pages: defaultdict[_Key, list[int]] = defaultdict(list)
    for number, lines in enumerate(pages):
        for key in {_key(line) for line in _margin(lines)}:
            on_pages[key].append(number)
    return {key: set().union(*_series(numbers)) for key, numbers in on_pages.items() if len(numbers) >= _PAGES_MIN}


def _series(numbers: list[int]) -> list[set[int]]:
    series: list[set[int]] = [set()]
    for number in numbers:
        if series[-1] and number - max(series[-1]) > _PAGES_APART_MAX:
            series.append(set())
        series[-1].add(number)
    return [members for members in series if len(members) >= _PAGES_MIN]


def _margin(lines: list[Line]) -> list[Line]:
    by_height = sorted((line for line in lines if not line.turn), key=lambda line: line.bottom)
    return by_height[:_MARGIN_LINES] + by_height[_MARGIN_LINES:][-_MARGIN_LINES:]


def _key(line: Line) -> _Key:
    """What it says, and where."""
    return line.text, round(line.bottom / _ROW_HEIGHT), round(line.size)
