"""Tables of AsciiDoc: cells behind bars, which may span others or be repeated, and rows of CSV, TSV and DSV."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from retriton_pipeline.documents.model import Block
from retriton_pipeline.documents.office.merged_cells import MergedCells
from retriton_pipeline.documents.tables import SPANNED, table_block

_ATTRIBUTES_CHARACTERS_MAX = 2_000
_COLUMNS = re.compile(r"\bcols\s{0,9}=\s{0,9}(?:\"([^\"\n]*)\"|'([^'\n]*)'|([^,\]\s]+))")
_REPEATED = re.compile(r"(\d{1,3})\*.*")
_FORMAT = re.compile(r"\bformat\s{0,9}=\s{0,9}[\"']?(csv|tsv|dsv|psv)")
_SEPARATOR = re.compile(r"\bseparator\s{0,9}=\s{0,9}[\"']?([^\s\"'\]\w]|\\t)")
_DELIMITERS = {"csv": ",", "tsv": "\t", "dsv": ":"}
_COLUMNS_MAX = 100
_COPIES_MAX, _SPAN_MAX = 100, 100
_COPIED_MAX = 1024**2  # places that spans cover, and characters that are repeated, of a table
_CELL = (  # specifiers stand at the start of a line or after a space
    r"(?:(?:^|(?<=[ \t]))(?:(\d{{1,3}})\*|(\d{{1,3}})?(?:\.(\d{{1,3}}))?\+)?"
    r"[<^>]?(?:\.[<^>])?[adehlmsv]?)?(?<!\\){separator}"
)
_INNER_FENCE = "!==="


@dataclass
class _Cell:
    """A cell: its text, the line that it starts on, and how often it is repeated or what it spans."""

    text: str
    line: int
    copies: int = 1
    width: int = 1
    height: int = 1

    def add(self, text: str) -> None:
        """Adds a line, or a part of one, without the sign of a line break at its end."""
        line = text.strip().removesuffix(" +")
        self.text = f"{self.text} {line}".strip() if line != _INNER_FENCE else self.text


def asciidoc_table(lines: Sequence[str], kind: str, attributes: str, inline: Callable[[str], str]) -> Block | None:
    """The table of ``lines``; None if it is empty.

    Args:
        lines: what is between its fences.
        kind: the first character of the fences.
        attributes: the lines with its attributes.
        inline: what replaces the markup in the text of a cell.
    """
    attributes = attributes[:_ATTRIBUTES_CHARACTERS_MAX]
    stated = _FORMAT.search(attributes)
    delimiter = _DELIMITERS.get(stated[1] if stated else "", "" if kind == "|" else kind)
    separator = _SEPARATOR.search(attributes)
    if delimiter:
        rows = _delimited_rows(lines, separator[1].replace("\\t", "\t") if separator else delimiter)
    else:
        cells = list(_cells(lines, separator[1] if separator else "|"))
        rows = _rows(cells, _column_count(attributes))
    shown = [[cell if cell is SPANNED else inline(cell) for cell in row] for row in rows]
    is_plain = not any(cell is SPANNED for row in shown for cell in row)
    return table_block(shown, plain=is_plain, header_rows=1)


def _column_count(attributes: str) -> int:
    """The number of columns that the attributes state; 0 if they state none."""
    match = _COLUMNS.search(attributes)
    if match is None:
        return 0
    columns = re.split("[,;]", next(filter(None, match.groups()), ""))
    repeated = (_REPEATED.fullmatch(column.strip()) for column in columns)
    return min(sum(int(found[1]) if found else 1 for found in repeated), _COLUMNS_MAX)


def _delimited_rows(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    is_escaped = delimiter == ":"
    options = {"quoting": csv.QUOTE_NONE, "escapechar": "\\"} if is_escaped else {"skipinitialspace": True}
    try:
        rows = csv.reader([f"{line}\n" for line in lines], delimiter=delimiter, **options)
        return [[cell.strip() for cell in row] for row in rows if row]
    except csv.Error:
        return [line.split(delimiter) for line in lines]


def _cells(lines: Sequence[str], separator: str) -> Iterator[_Cell]:
    """The cells in order; lines without a separator continue the last one."""
    pattern = re.compile(_CELL.format(separator=re.escape(separator)))
    cell: _Cell | None = None
    for number, line in enumerate(lines):
        start = 0
        for match in pattern.finditer(line):
            if cell:
                cell.add(line[start : match.start()])
                yield cell
            copies, width, height = (int(group or 1) for group in match.groups())
            cell = _Cell("", number, min(copies, _COPIES_MAX), min(width, _SPAN_MAX), min(height, _SPAN_MAX))
            start = match.end()
        if cell:
            cell.add(line[start:])
    if cell:
        yield cell


def _rows(cells: Sequence[_Cell], columns: int) -> list[list[str]]:
    """The cells by row: a row has ``columns`` cells if these are known, else is as wide as the first line.

    Lines are rows where the cells do not fill rows of that width.
    """
    lines = [list(line) for _, line in groupby(cells, key=lambda cell: cell.line)]
    widths = [sum(cell.copies * cell.width for cell in line) for line in lines]
    width = min(columns or (widths[0] if widths else 0), _COLUMNS_MAX)
    places = sum(cell.copies * cell.width * cell.height for cell in cells)
    if not columns and any(other != width for other in widths) and places % max(width, 1):
        return [[cell.text.replace("\\|", "|") for cell in line] for line in lines]
    return _laid_out(cells, max(width, 1))


def _laid_out(cells: Sequence[_Cell], width: int) -> list[list[str]]:
    """The rows of ``cells``, each of which takes the first free place."""
    rows: list[list[str]] = [[]]
    ranges: list[tuple[int, int, int, int]] = []
    taken_to = [0] * width  # by column: the last row, from 1, that a cell spans
    budget = _COPIED_MAX
    for cell in cells:
        text = cell.text.replace("\\|", "|")
        budget -= cell.copies * len(text) + cell.width * cell.height
        for _ in range(cell.copies if budget > 0 else 1):
            _skip_taken(rows, taken_to)
            column, row = len(rows[-1]), len(rows)
            span = min(cell.width, width - column) if budget > 0 else 1
            height = cell.height if budget > 0 else 1
            ranges.append((column + 1, row, column + span, row + height - 1))
            taken_to[column : column + span] = [row + height - 1] * span
            rows[-1] += [text, *[""] * (span - 1)]
    merged = MergedCells(found for found in ranges if found[:2] != found[2:])
    return [merged.unfolded(number, row) for number, row in enumerate(rows, 1)]


def _skip_taken(rows: list[list[str]], taken_to: Sequence[int]) -> None:
    """Moves to the first free place, at the end of the last of ``rows`` or in a further one."""
    while len(rows[-1]) == len(taken_to) or taken_to[len(rows[-1])] >= len(rows):
        if len(rows[-1]) == len(taken_to):
            rows.append([])
        else:
            rows[-1].append("")
