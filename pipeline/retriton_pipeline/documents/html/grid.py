"""The cells of HTML tables by row and column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from lxml import etree

from retriton_pipeline.documents.tables import SPANNED

_DATA_CELL_CHARACTERS_MAX = 1000
_DATA_ROWS_MIN = 3
_HEADER_ROWS_MAX = 5
_NESTED_MAX = 1_000
_ROW_GROUPS = ("thead", "tbody", "tfoot")
_ROWS = {"tr", *_ROW_GROUPS}
_SPAN_MAX = 100
_SPAN_DIGITS_MAX = 9
_COLUMNS_MAX = 256  # beyond these, cells span no further ones
_REPEATED_CHARACTERS_MAX = 1024**2  # of a table, in the cells that span rows
_RowSpans = dict[int, tuple[int, str]]  # by column: the rows that a cell still spans, and its text


@dataclass(frozen=True)
class Grid:
    """The texts of a table.

    Attributes:
        titles: of rows above the header with a single cell.
        rows: texts by row and column; the header first.
        header_rows: the number of rows that the page marks as header.
    """

    titles: list[str]
    rows: list[list[str]]
    header_rows: int


def table_rows(
    table: etree._Element, hides: Callable[[etree._Element], bool] = lambda element: False
) -> list[etree._Element]:
    """The rows of ``table``, without those of nested tables.

    Those of its head are first and those of its foot last, as they are shown, wherever they are in the page.

    Args:
        table: the table.
        hides: whether an element is not shown.
    """
    rows: list[etree._Element] = []
    head, foot = list(islice(table.iterchildren("thead"), 1)), list(table.iterchildren("tfoot"))
    pending = [*foot, table, *head]
    while pending:
        element = pending.pop()
        if element.tag in _ROWS and hides(element):
            continue
        if element.tag == "tr":
            rows.append(element)
        apart = {*head, *foot} if element is table else ()
        pending += [child for child in reversed(element) if child.tag != "table" and child not in apart]
    return rows


def table_grid(rows: Sequence[etree._Element], text_of: Callable[[etree._Element], str]) -> Grid:
    """The texts of ``rows`` by column.

    The text of a cell that spans rows is repeated in each, so that each row is complete. Columns that a cell spans
    after its first one are `SPANNED`.

    Args:
        rows: ``tr`` elements.
        text_of: the text of a cell.
    """
    spans: _RowSpans = {}
    budget = _REPEATED_CHARACTERS_MAX
    texts: list[list[str]] = []
    for before, row in zip([*rows[:1], *rows], rows, strict=False):
        if _row_group(before) is not _row_group(row):
            spans.clear()  # cells end with their head or body
        line, budget = _laid_out(row, spans, text_of, budget)
        texts.append(line)
    titles = _title_rows(rows)
    return Grid(list(map("".join, texts[:titles])), texts[titles:], _header_rows(rows[titles:], texts[titles:]))


def _laid_out(
    row: etree._Element, spans: _RowSpans, text_of: Callable[[etree._Element], str], budget: int
) -> tuple[list[str], int]:
    """The texts of ``row``, and what is left of the characters that may be repeated."""
    texts: list[str] = []
    for cell in row.iterchildren("td", "th"):
        _continue_spans(texts, spans)
        text = text_of(cell)
        height = _SPAN_MAX if cell.get("rowspan", "").strip() == "0" else _span(cell, "rowspan")
        budget -= len(text) * (height - 1)
        for column in range(min(column_span(cell), max(_COLUMNS_MAX - len(texts), 1))):
            part = SPANNED if column else text
            if height > 1 and budget >= 0:
                spans[len(texts)] = (height - 1, part)
            texts.append(part)
    _continue_spans(texts, spans)
    return texts, budget


def is_data_table(grid: Grid) -> bool:
    """Whether a table holds data; many tables only lay out the page, in one column or with long cells."""
    if max(map(len, grid.rows), default=0) < 2:
        return False
    long = sum(any(len(cell) > _DATA_CELL_CHARACTERS_MAX for cell in row) for row in grid.rows)
    return not long or grid.header_rows > 0 or (len(grid.rows) >= _DATA_ROWS_MIN and 2 * long <= len(grid.rows))


def is_single_row_of_blocks(rows: Sequence[etree._Element]) -> bool:
    """Whether ``rows`` is one row that puts headings or several paragraphs beside others."""
    return len(rows) == 1 and any(
        len(list(islice(cell.iter("p", "ul", "ol", "blockquote", "pre"), 2))) > 1
        or next(cell.iter("h1", "h2", "h3", "h4", "h5", "h6"), None) is not None
        for cell in rows[0].iterchildren("td")
    )


def is_table_of_tables(table: etree._Element, rows: Sequence[etree._Element]) -> bool:
    """Whether ``table`` holds data, and in its cells small tables, as opposed to laying out tables on a page."""
    is_outermost = next(table.iterancestors("table"), None) is None
    nested = list(islice(table.iterdescendants("table"), _NESTED_MAX + 1))
    has_names = len(rows) > 1 and (_is_header(rows[0]) or _is_in_head(rows[0]))
    is_flat = not any(next(inner.iterdescendants("table"), None) is not None for inner in nested)
    return is_outermost and has_names and len(nested) <= _NESTED_MAX and is_flat


def column_span(cell: etree._Element) -> int:
    """The number of columns that ``cell`` spans, at most 100."""
    return _span(cell, "colspan")


def _continue_spans(texts: list[str], spans: _RowSpans) -> None:
    while len(texts) in spans:
        height, text = spans.pop(len(texts))
        if height > 1:
            spans[len(texts)] = (height - 1, text)
        texts.append(text)


def _title_rows(rows: Sequence[etree._Element]) -> int:
    """The number of rows at the start that consist of one cell above most columns; not the last row."""
    return sum(1 for _ in takewhile(_is_title, rows[: min(_HEADER_ROWS_MAX, len(rows) - 1)]))


def _is_title(row: etree._Element) -> bool:
    first, *others = list(row.iterchildren("td", "th")) or [row]
    span = column_span(first)
    return 1 < span > len(others) and _span(first, "rowspan") == 1 and not any(map(_has_text, others))


def _header_rows(rows: Sequence[etree._Element], texts: Sequence[Sequence[str]]) -> int:
    """The number of rows at the start that are marked as header, or consist of header cells; not the last row."""
    height = 0
    while height < min(_HEADER_ROWS_MAX, len(rows) - 1):
        is_as_wide = len(texts[height]) == len(texts[0])  # not a row that only names those that follow
        is_section = height > 0 and len(list(rows[height].iterchildren("td", "th"))) == 1
        if not (_is_in_head(rows[height]) or (is_as_wide and not is_section and _is_header(rows[height]))):
            break
        height += 1
    return height


def _row_group(row: etree._Element) -> etree._Element | None:
    parent = row.getparent()
    return parent if parent is not None and parent.tag in _ROW_GROUPS else None


def _is_in_head(row: etree._Element) -> bool:
    parent = row.getparent()
    return parent is not None and parent.tag == "thead"


def _is_header(row: etree._Element) -> bool:
    data = list(row.iterchildren("td"))
    return len(row) > 2 * len(data) and not any(map(_has_text, data))  # a header may have an empty corner


def _has_text(cell: etree._Element) -> bool:
    return any(text.strip() for text in map(str, cell.itertext()))


def _span(cell: etree._Element, name: str) -> int:
    value = cell.get(name, "1").strip()
    return min(max(int(value[:_SPAN_DIGITS_MAX]), 1), _SPAN_MAX) if value.isdecimal() else 1
