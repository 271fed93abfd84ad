"""CSV and TSV: one table a file."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter

from retriton_pipeline.documents.model import Content
from retriton_pipeline.documents.tables import table_block
from retriton_pipeline.documents.text.encoding import decode
from retriton_pipeline.errors import UnreadableDocument

_DELIMITERS = "\t;|,"  # of equally regular ones the first is used; the comma may be a decimal separator
_STATED_DELIMITER = re.compile(r'\A"?sep=(\S|\t| )"?\n', re.IGNORECASE)  # Excel's first line
_SAMPLE_CHARACTERS = 64 * 1024
_FIELD_CHARACTERS_MAX = 1024**2


def read_csv(raw: bytes) -> Content:
    """The table; its delimiter is the stated one, or is detected.

    Raises:
        UnreadableDocument: it is not a table.
    """
    text = decode(raw)
    stated = _STATED_DELIMITER.match(text)
    delimiter = stated[1] if stated else _delimiter(text[:_SAMPLE_CHARACTERS])
    return _read(text[stated.end() :] if stated else text, delimiter)


def read_tsv(raw: bytes) -> Content:
    """The table, delimited by tabs.

    Raises:
        UnreadableDocument: it is not a table.
    """
    return _read(_STATED_DELIMITER.sub("", decode(raw)), "\t")


def _read(text: str, delimiter: str) -> Content:
    csv.field_size_limit(_FIELD_CHARACTERS_MAX)
    try:
        table = table_block(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), plain=True)
    except csv.Error as error:
        raise UnreadableDocument(f"it is not a table: {error}") from error
    return Content("", [table] if table else [])


def _delimiter(sample: str) -> str:
    """The delimiter that gives the most rows of equal width; csv.Sniffer is unreliable for cells with prose."""
    return max(_DELIMITERS, key=lambda delimiter: _regular_rows(sample, delimiter))


def _regular_rows(sample: str, delimiter: str) -> int:
    widths = Counter(len(row) for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if row)
    usual, rows = next(iter(widths.most_common(1)), (0, 0))
    return rows if usual > 1 else 0
