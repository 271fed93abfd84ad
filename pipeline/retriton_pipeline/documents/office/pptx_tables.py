"""The tables of slides."""

from __future__ import annotations

from collections.abc import Iterator

from pptx.table import Table

from retriton_pipeline.documents.office.merged_cells import MergedCells
from retriton_pipeline.documents.office.pptx_lists import frame_lines


def table_rows(table: Table) -> Iterator[list[str]]:
    """The texts of ``table``, in which merged cells stand for each row and column that they span."""
    rows = [list(row.cells) for row in table.rows]
    ranges = [
        (column, number, column + cell.span_width - 1, number + cell.span_height - 1)
        for number, row in enumerate(rows, 1)
        for column, cell in enumerate(row, 1)
        if cell.is_merge_origin
    ]
    merged = MergedCells(ranges)
    for number, row in enumerate(rows, 1):
        yield merged.unfolded(number, ["\n".join(frame_lines(cell.text_frame)) for cell in row])
