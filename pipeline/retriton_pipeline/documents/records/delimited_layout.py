"""Which rows of a delimited file are titles, names of columns, tables of their own, and remarks."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from retriton_pipeline.documents.tables import is_number

_DELIMITERS = "\t;|,"  # of equally regular ones the first is used; the comma may be a decimal separator
_PREAMBLE_ROWS_MAX, _FOOTER_ROWS_MAX = 20, 10
_SAMPLE_CHARACTERS = 64 * 1024


def rows_of(text: str, delimiter: str) -> Iterator[list[str]]:
    """The rows of ``text``; blanks before a quoted field are no part of it."""
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)


def sections(rows: list[list[str]]) -> list[list[list[str]]]:
    """The tables in ``rows`` that blank rows separate, each below names of its own."""
    starts = (at + 1 for at, row in enumerate(rows) if not any(row) and _has_names_of_its_own(rows, at + 1))
    return [rows[start:end] for start, end in pairwise([0, *starts, len(rows)])]


def _has_names_of_its_own(rows: list[list[str]], at: int) -> bool:
    first, names, below = (list(filter(None, row)) for row in (rows[0], *rows[at : at + 2], [], [])[:3])
    is_other = 1 < len(names) == len(below) != len(first)
    return is_other and not any(map(is_number, names)) and any(map(is_number, below))


def footer_rows(rows: list[list[str]]) -> int:
    """The number of rows at the end that are no part of the table: sources and remarks without further fields."""
    width = len(rows[0]) if rows else 0
    number = 0
    while width > 1 and number < min(_FOOTER_ROWS_MAX, len(rows) - 2) and len(rows[-1 - number]) < 2:
        number += 1
    return number


def preamble_rows(text: str, delimiter: str) -> int:
    """The number of rows above the names of the columns.

    They are titles, dates and comments with few fields, or rows above a blank one with fewer fields than the table.
    """
    sample = text[:_SAMPLE_CHARACTERS]
    try:
        rows = list(rows_of(sample, delimiter))
    except csv.Error:
        return 0
    usual = Counter(map(len, filter(None, rows))).most_common(1)
    width = usual[0][0] if usual else 0
    if width > 1 and (blank := _blank_row(rows, width)):
        return blank + 1
    number = next((at for at, row in enumerate(rows) if len(row) >= width and len(list(filter(None, row))) > 1), 0)
    above = [list(filter(None, row)) for row in rows[:number]]
    is_preamble = width > 1 and number <= _PREAMBLE_ROWS_MAX and all(2 * len(row) <= width for row in above)
    return number if is_preamble else 0


def _blank_row(rows: list[list[str]], width: int) -> int:
    """The place of a blank row between properties and the names of ``width`` columns; 0 if there is none."""
    filled = [sum(map(bool, map(str.strip, row))) for row in rows[: _PREAMBLE_ROWS_MAX + 2]]
    at = next((at for at, number in enumerate(filled) if not number), 0)
    is_below = at + 1 < len(filled) and filled[at + 1] == width and not any(map(is_number, rows[at + 1]))
    return at if is_below and all(number < width for number in filled[:at]) else 0


def are_names(first: list[str], second: list[str]) -> bool:
    """Whether both rows are names of columns: names of groups, each above its first column, and those below them."""
    repeated = len(set(second)) < len(second)
    gaps = sum(not cell for cell in first[2:])
    is_complete = len(first) == len(second) and all(second) and not any(map(is_number, second))
    return is_complete and gaps > 0 and any(first) and repeated and not is_number(first[0])


def joined_names(first: list[str], second: list[str]) -> list[str]:
    """The names of the columns below those of groups, with both."""
    names: list[str] = []
    group = ""
    for above, below in zip(first, second, strict=True):
        group = above.strip() or group
        names.append(f"{group} {below.strip()}".strip())
    return names


def likely_delimiter(sample: str) -> str:
    """The delimiter that gives the most rows of equal width; csv.Sniffer is unreliable for cells with prose."""
    return max(_DELIMITERS, key=lambda delimiter: _regular_rows(sample, delimiter))


def _regular_rows(sample: str, delimiter: str) -> int:
    widths = Counter(len(row) for row in rows_of(sample, delimiter) if row)
    usual, rows = next(iter(widths.most_common(1)), (0, 0))
    return rows if usual > 1 else 0
