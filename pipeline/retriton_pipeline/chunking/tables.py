"""Tables whose header would leave too little room for rows in a chunk."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import zip_longest

_CELL_BORDER = re.compile(r"(?<!\\) ?\| ?")
_GROWTH_MAX = 8
_CHARACTERS_MIN = 100_000  # tables that are shorter with the names of all values have no limit of growth


def names_line(header: str) -> str:
    """The line of ``header`` with the names of the columns, without the rule below it."""
    return header.partition("\n")[0] + "\n"


def is_labelled_short(header: str, rows: str) -> bool:
    """Whether the rows are not much longer with the names of all values, as those of many empty cells are."""
    return len(names_line(header)) * (rows.count("\n") + 1) <= _GROWTH_MAX * len(rows) + _CHARACTERS_MIN


def labelled_rows(header: str, rows: str, fits: Callable[[str], bool]) -> Iterator[str]:
    """Each row as lines of "name: value", separated by semicolons; each line starts with the first value of the row.

    Args:
        header: of the table, in Markdown.
        rows: the lines below it.
        fits: whether a line is short enough.
    """
    names = _cells(names_line(header))
    for row in rows.splitlines():
        cells = zip_longest(names, _cells(row), fillvalue="")
        key, *pairs = [f"{name}: {cell}" if name else cell for name, cell in cells if cell] or [""]
        label = key if fits(key + key) else ""
        line = key
        for pair in pairs:
            if line != label and not fits(f"{line}; {pair}"):
                yield f"{line}\n"
                line = label
            line = f"{line}; {pair}" if line else pair
        yield f"{line}\n"


def _cells(line: str) -> list[str]:
    return [cell.replace("\\|", "|") for cell in _CELL_BORDER.split(line.strip())[1:-1]]
