"""The cells of HTML tables by row and column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from lxml import etree

_DATA_CELL_CHARACTERS_MAX = 1000
_SPAN_MAX = 100
_SPAN_DIGITS_MAX = 9
_COLUMNS_MAX = 256  # beyond these, cells span no further ones
_REPEATED_CHARACTERS_MAX = 1024**2  # of a table, in the cells that span rows
_RowSpans = dict[int, tuple[int, str]]  # by column: the rows that a cell still spans, and its text


def table_rows(table: etree._Element) -> list[etree._Element]:
    """The rows of ``table``, without those of nested tables."""
    rows: list[etree._Element] = []
    pending = [table]
    while pending:
        element = pending.pop()
        if element.tag == "tr":
            rows.append(element)
        pending += [child for child in reversed(element) if child.tag != "table"]
    return rows


def table_grid(rows: Sequence[etree._Element], text_of: Callable[[etree._Element], str]) -> Iterator[list[str]]:
    """The texts of ``rows`` by column.

    The text of a cell that spans rows is repeated in each, so that each row is complete. Columns that a cell spans
    after its first one are empty.

    Args:
        rows: ``tr`` elements.
        text_of: the text of a cell.
    """
    spans: _RowSpans = {}
    repeated = 0
    for row in rows:
        texts: list[str] = []
        for cell in row.iterchildren("td", "th"):
            _continue_spans(texts, spans)
            text = text_of(cell)
            height = _span(cell, "rowspan")
            repeated += len(text) * (height - 1)
            if height > 1 and repeated <= _REPEATED_CHARACTERS_MAX:
                spans[len(texts)] = (height - 1, text)
            width = min(column_span(cell), max(_COLUMNS_MAX - len(texts), 1))
            texts += [text, *[""] * (width - 1)]
        _continue_spans(texts, spans)
        yield texts


def is_data_table(grid: Sequence[Sequence[str]]) -> bool:
    """Whether a table holds data; many tables only lay out the page, in one column or with long cells."""
    return max(map(len, grid), default=0) > 1 and all(
        len(cell) <= _DATA_CELL_CHARACTERS_MAX for row in grid for cell in row
    )


def column_span(cell: etree._Element) -> int:
    """The number of columns that ``cell`` spans, at most 100."""
    return _span(cell, "colspan")


def _continue_spans(texts: list[str], spans: _RowSpans) -> None:
    while len(texts) in spans:
        height, text = spans.pop(len(texts))
        if height > 1:
            spans[len(texts)] = (height - 1, text)
        texts.append(text)


def _span(cell: etree._Element, name: str) -> int:
    value = cell.get(name, "1").strip()
    return min(max(int(value[:_SPAN_DIGITS_MAX]), 1), _SPAN_MAX) if value.isdecimal() else 1
