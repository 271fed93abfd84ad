"""Tables in JSON: arrays of rows, arrays of objects that have the same short fields, and columns that pandas writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from retriton_pipeline.documents.model import Block
from retriton_pipeline.documents.tables import table_block

_COLUMN_KEYS, _ROW_KEYS = ("columns", "fields", "headers", "header"), ("data", "rows", "values")
_COLUMNS_MAX = 64
_CELL_CHARACTERS_MAX, _CELL_WORDS_MAX = 80, 8  # longer values are texts, which are fields of their object
_SENTENCE_ENDS = (".", "?", "!")


def json_table(value: object) -> Block | None:
    """The table of an array of rows, whose first is the names of the columns, or of objects; None if it is none."""
    if not isinstance(value, list) or len(value) < 2:
        return None
    rows = _rows(value) if isinstance(value[0], list) else _object_rows(value)
    return table_block([list(map(_text, row)) for row in rows], plain=True) if rows else None


def with_records(value: dict[str, Any]) -> dict[str, Any]:
    """``value`` with an array of objects in place of rows beside the names of their columns, or of columns by row."""
    names: list[Any] = next((value[key] for key in _COLUMN_KEYS if isinstance(value.get(key), list)), [])
    for key in _ROW_KEYS if names and all(isinstance(name, str) for name in names) else ():
        rows = value.get(key)
        if isinstance(rows, list) and _is_grid(rows, len(names)):
            others = {name: item for name, item in value.items() if item is not names}
            return {**others, key: [dict(zip(names, row, strict=True)) for row in rows]}
    columns = [column for column in value.values() if isinstance(column, dict)]
    if 1 < len(columns) == len(value) and columns[0] and all(map(str.isdecimal, columns[0])):
        if any(column.keys() != columns[0].keys() for column in columns):
            return value
        return {"data": [{name: column[row] for name, column in value.items()} for row in columns[0]]}
    return value


def _is_grid(rows: object, width: int) -> bool:
    return isinstance(rows, list) and bool(rows) and all(isinstance(row, list) and len(row) == width for row in rows)


def _rows(value: list[Any]) -> list[Sequence[object]]:
    width = len(value[0])
    is_named = 1 < width <= _COLUMNS_MAX and all(isinstance(name, str) and name.strip() for name in value[0])
    is_table = is_named and _is_grid(value, width) and all(_is_cell(cell) for row in value for cell in row)
    return value if is_table else []


def _object_rows(value: list[Any]) -> list[Sequence[object]]:
    names = list(value[0]) if isinstance(value[0], dict) else []
    is_same = 1 < len(names) <= _COLUMNS_MAX and all(
        isinstance(item, dict) and item.keys() == value[0].keys() for item in value
    )
    cells = [[item[name] for name in names] for item in value] if is_same else []
    has_text = any(isinstance(cell, str) and cell.strip() for row in cells for cell in row)
    return [names, *cells] if has_text and all(_is_cell(cell) for row in cells for cell in row) else []


def _is_cell(value: object) -> bool:
    """Whether ``value`` is short, as opposed to a text."""
    if not isinstance(value, str):
        return value is None or isinstance(value, int | float)
    is_short = len(value) <= _CELL_CHARACTERS_MAX and "\n" not in value and "<" not in value
    return is_short and len(value.split()) <= _CELL_WORDS_MAX and not value.endswith(_SENTENCE_ENDS)


def _text(value: object) -> str:
    return "" if value is None else str(value)
