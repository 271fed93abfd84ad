"""Rows of tables whose cells hold equally many lines, which belong together line by line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

_LINE_CHARACTERS_MAX = 80  # longer lines are sentences, not values
_VALUE = re.compile(r"[^\w\s]{0,3} ?\d")
_REPETITION_MAX = 4  # of the characters of a row, by cells with one line


def parallel_lines(cells: Sequence[Sequence[str]]) -> int:
    """The number of lines that each of ``cells`` has; 0 if they are not parallel. Cells with one line do not count."""
    counts = {len(lines) for lines in cells} - {0, 1}
    several = [lines for lines in cells if len(lines) > 1 and sum(map(bool, lines)) > 1]
    are_short = all(len(line) <= _LINE_CHARACTERS_MAX for lines in cells for line in lines)
    count = max(counts, default=0)
    repeated = count * sum(len(lines[0]) for lines in cells if len(lines) == 1)
    is_small = repeated <= _REPETITION_MAX * sum(len(line) for lines in cells for line in lines)
    return count if len(counts) == 1 and len(several) > 1 and are_short and is_small else 0


def split_rows(rows: Iterable[Sequence[str]]) -> Iterator[list[str]]:
    """``rows`` with those of parallel lines split, if a cell holds numbers: names of columns also have lines."""
    for row in rows:
        lines = [[line.strip() for line in cell.strip().split("\n")] for cell in row] if "\n" in "".join(row) else []
        has_values = any(len(cell) > 1 and all(_VALUE.match(line) for line in cell if line) for cell in lines)
        count = parallel_lines(lines) if has_values else 0
        if not count:
            yield list(row)
        for index in range(count):
            yield [cell[index] if len(cell) > 1 else cell[0] for cell in lines]
