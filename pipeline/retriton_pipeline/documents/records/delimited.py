"""CSV and TSV: tables, with what stands above and below them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from itertools import chain, islice

from retriton_pipeline.documents.html.fragments import shown_text
from retriton_pipeline.documents.model import Block, Content
from retriton_pipeline.documents.records.delimited_layout import (
    are_names,
    footer_rows,
    joined_names,
    likely_delimiter,
    preamble_rows,
    rows_of,
    sections,
)
from retriton_pipeline.documents.tables import table_block
from retriton_pipeline.documents.text.encoding import decode
from retriton_pipeline.errors import UnreadableDocument

_STATED_DELIMITER = re.compile(r'\A"?sep=(\S|\t| )"?\n', re.IGNORECASE)  # Excel's first line
_ESCAPED_QUOTE = re.compile(r'(?<=[\s(")])\\"\w')  # as opposed to a field that ends with a backslash
_SAMPLE_CHARACTERS = 64 * 1024
_FIELD_CHARACTERS_MAX = 1024**2
_TEXT_FORMULA = re.compile(r'="([^"]*)"')  # keeps Excel from taking "00123" for a number


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
        rows = rows_of(text, delimiter)
        above = list(islice(rows, preamble_rows(text, delimiter)))
        names = list(islice(rows, 2))
        header = [joined_names(*names)] if len(names) > 1 and are_names(*names) else names
        whole = [list(map(_shown, row)) for row in chain(header, rows)]
        end = len(whole) - footer_rows(whole)
        tables = [table for rows in sections(whole[:end]) if (table := table_block(rows, plain=True))]
    except csv.Error as error:
        raise UnreadableDocument(f"it is not a table: {error}") from error
    return Content("", [*_lines(above), *tables, *_lines(whole[end:])])


def _shown(cell: str) -> str:
    """What programs for spreadsheets show of a field: text that is written as a formula, and HTML, as text."""
    formula = _TEXT_FORMULA.fullmatch(cell)
    return shown_text(formula[1] if formula else cell)


def _lines(rows: Iterable[list[str]]) -> list[Block]:
    text = "\n".join(" ".join(filter(None, map(str.strip, row))) for row in rows if any(row))
    return [Block(text)] if text.strip() else []
