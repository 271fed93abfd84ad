"""CSV and TSV: one table a file."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from itertools import chain, islice

from retriton_pipeline.documents.html.fragments import shown_text
from retriton_pipeline.documents.model import Block, Content
from retriton_pipeline.documents.tables import is_number, table_block
from retriton_pipeline.documents.text.encoding import decode
from retriton_pipeline.errors import UnreadableDocument

_DELIMITERS = "\t;|,"  # of equally regular ones the first is used; the comma may be a decimal separator
_STATED_DELIMITER = re.compile(r'\A"?sep=(\S|\t| )"?\n', re.IGNORECASE)  # Excel's first line
_ESCAPED_QUOTE = re.compile(r'(?<=[\s(")])\\"\w')  # as opposed to a field that ends with a backslash
_SAMPLE_CHARACTERS = 64 * 1024
_FIELD_CHARACTERS_MAX = 1024**2
_PREAMBLE_ROWS_MAX = 20


def read_csv(raw: bytes) -> Content:
    """The table; its delimiter is the stated one, or is detected.

    Raises:
        UnreadableDocument: it is not a table.
    """
    text = _with_doubled_quotes(decode(raw))
    stated = _STATED_DELIMITER.match(text)
    delimiter = stated[1] if stated else likely_delimiter(text[:_SAMPLE_CHARACTERS])
    return _read(text[stated.end() :] if stated else text, delimiter)


def _with_doubled_quotes(text: str) -> str:
    """``text`` with ``""`` for a quotation mark in a field where it is written with a backslash."""
    return text.replace('\\"', '""') if _ESCAPED_QUOTE.search(text[:_SAMPLE_CHARACTERS]) else text


def read_tsv(raw: bytes) -> Content:
    """The table, delimited by tabs.

    Raises:
        UnreadableDocument: it is not a table.
    """
    return _read(_STATED_DELIMITER.sub("", decode(raw)), "\t")


def _read(text: str, delimiter: str) -> Content:
    csv.field_size_limit(_FIELD_CHARACTERS_MAX)
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        above = list(islice(rows, preamble_rows(text, delimiter)))
        names = list(islice(rows, 2))
        header = [_joined_names(*names)] if len(names) > 1 and _are_names(*names) else names
        table = table_block((list(map(shown_text, row)) for row in chain(header, rows)), plain=True)
    except csv.Error as error:
        raise UnreadableDocument(f"it is not a table: {error}") from error
    preamble = "\n".join(" ".join(filter(None, map(str.strip, row))) for row in above if any(row))
    return Content("", [*([Block(preamble)] if preamble.strip() else []), *([table] if table else [])])


def preamble_rows(text: str, delimiter: str) -> int:
    """The number of rows above the names of the columns.

    They are titles, dates and comments with few fields, or rows above a blank one with fewer fields than the table.
    """
    sample = text[:_SAMPLE_CHARACTERS]
    try:
        rows = list(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter))
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


def _are_names(first: list[str], second: list[str]) -> bool:
    """Whether both rows are names of columns: names of groups, each above its first column, and those below them."""
    repeated = len(set(second)) < len(second)
    gaps = sum(not cell for cell in first[2:])
    is_complete = len(first) == len(second) and all(second) and not any(map(is_number, second))
    return is_complete and gaps > 0 and any(first) and repeated and not is_number(first[0])


def _joined_names(first: list[str], second: list[str]) -> list[str]:
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
    widths = Counter(len(row) for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if row)
    usual, rows = next(iter(widths.most_common(1)), (0, 0))
    return rows if usual > 1 else 0
