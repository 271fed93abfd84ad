"""Tables in XML, as DocBook, DITA, JATS, XHTML, Word and Excel write them, with cells that span rows and columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lxml import etree

from retriton_pipeline.documents.html.grid import table_grid, table_rows
from retriton_pipeline.documents.model import Block
from retriton_pipeline.documents.office.archive import local_name
from retriton_pipeline.documents.tables import table_block

CELLS = {"entry", "td", "th", "tc", "cell"}
_MORE_ROWS, _MORE_COLUMNS = ("morerows", "MergeDown"), "MergeAcross"
_COLUMNS_MAX, _DIGITS_MAX = 256, 6


def is_row(element: etree._Element) -> bool:
    """Whether ``element``, which is named as a row, consists of cells."""
    cells = [child for child in element if isinstance(child.tag, str)]
    return bool(cells) and all(local_name(cell.tag).lower() in CELLS for cell in cells)


def xml_table(rows: Sequence[etree._Element]) -> Iterator[Block]:
    """The blocks of a table: rows of a single cell above it, and the table.

    Args:
        rows: of the table, in order.
    """
    table = etree.Element("table")
    head, body = etree.SubElement(table, "thead"), etree.SubElement(table, "tbody")
    for row in rows:
        parent = row.getparent()
        is_head = parent is not None and local_name(parent.tag).lower() == "thead"
        _add_row(etree.SubElement(head if is_head else body, "tr"), row)
    grid = table_grid(table_rows(table), lambda cell: cell.text or "")
    yield from (Block(title) for title in grid.titles if title)
    yield from filter(None, [table_block(grid.rows, header_rows=grid.header_rows)])


def _add_row(made: etree._Element, row: etree._Element) -> None:
    columns = _column_names(row)
    for cell in row.iterchildren(etree.Element):
        of = {local_name(key): str(value) for key, value in cell.attrib.items()}
        for _ in range(len(made), min(_number(of.get("Index"), 0), _COLUMNS_MAX) - 1):
            etree.SubElement(made, "td")  # columns that are left out before it
        copy = etree.SubElement(made, "th" if local_name(cell.tag).lower() == "th" else "td")
        copy.text = " ".join("".join(map(str, cell.itertext())).split())
        more = next((_number(of[name], 0) for name in _MORE_ROWS if name in of), 0)
        first, last = columns.get(of.get("namest", ""), 0), columns.get(of.get("nameend", ""), 0)
        copy.set("rowspan", of.get("rowspan", str(more + 1)))
        copy.set("colspan", of.get("colspan", str(max(last - first, _number(of.get(_MORE_COLUMNS), 0)) + 1)))


def _column_names(row: etree._Element) -> dict[str, int]:
    """The numbers of the columns of the table of ``row`` by their names."""
    group = next(row.iterancestors("{*}tgroup"), None)
    specifications = group.iterchildren("{*}colspec") if group is not None else ()
    return {column.get("colname", ""): number for number, column in enumerate(specifications)}


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < _DIGITS_MAX else default
