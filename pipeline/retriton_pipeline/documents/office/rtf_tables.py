r"""Tables of RTF files: rows of cells with their right edges, from which the columns that they span follow."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from retriton_pipeline.documents.tables import SPANNED

COLUMNS_MAX = 256
_TOLERANCE = 100  # twentieths of a point, between the edges of the same column


@dataclass(frozen=True)
class CellForm:
    """The place of a cell.

    Attributes:
        right: its right edge.
        is_continued: whether it is merged with the cell before.
        is_below: whether it is merged with the cell above.
    """

    right: int
    is_continued: bool = False
    is_below: bool = False


def table_rows(rows: Sequence[tuple[list[str], Sequence[CellForm]]]) -> list[list[str]]:
    """The texts of ``rows`` by column, in which merged cells stand for each row and column that they span.

    Args:
        rows: texts and forms of their cells.
    """
    if any(len(texts) != len(forms) for texts, forms in rows):
        return [texts for texts, _ in rows]
    are_equal = len({len(texts) for texts, _ in rows}) == 1
    edges = [] if are_equal else _edges([form.right for _, forms in rows for form in forms])
    made: list[list[str]] = []
    for texts, forms in rows:
        made.append(_row(texts, forms, edges, made[-1] if made else []))
    return made


def _edges(rights: Sequence[int]) -> list[int]:
    edges: list[int] = []
    for right in sorted(set(rights)):
        if not edges or right - edges[-1] > _TOLERANCE:
            edges.append(right)
    return edges if len(edges) <= COLUMNS_MAX else []


def _row(texts: Sequence[str], forms: Sequence[CellForm], edges: Sequence[int], above: Sequence[str]) -> list[str]:
    row: list[str] = []
    for text, form in zip(texts, forms, strict=True):
        upper = above[len(row)] if form.is_below and len(row) < len(above) else ""
        row.append(SPANNED if form.is_continued else text or upper)
        row += [SPANNED] * (bisect_right(edges, form.right) - len(row))
    return row
