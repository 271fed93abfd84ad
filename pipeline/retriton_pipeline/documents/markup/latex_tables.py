r"""Tables of LaTeX: rows and cells, those of ``\multicolumn`` and ``\multirow`` for all that they span."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from retriton_pipeline.documents.model import Block
from retriton_pipeline.documents.office.merged_cells import MergedCells
from retriton_pipeline.documents.tables import is_number, table_block

ENVIRONMENTS = {  # with the number of their arguments
    "tabular": 1, "array": 1, "tabular*": 2, "tabularx": 2, "tabulary": 2, "longtable": 1,
}  # fmt: skip
_GROUP = r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*+\})*+\})*+\}"
_OPTION = r"(?:\[[^\]\n]{0,200}\]\s{0,9})?"
_ARGUMENT = re.compile(rf"\s{{0,9}}{_OPTION}{_GROUP}")
_CAPTION = re.compile(rf"\\caption\*?\s{{0,9}}{_OPTION}({_GROUP})")
_LABEL = re.compile(r"\\label\s{0,9}\{[^{}]{0,200}\}")
_PART = re.compile(r"\\(endfirsthead|endhead|endfoot|endlastfoot)(?![A-Za-z])")
_RULE = re.compile(r"\s*\\(?:hline|midrule)(?![A-Za-z])")
_RULES = re.compile(
    r"\\(?:hline|toprule|midrule|bottomrule|addlinespace(?:\s{0,9}\[[^\]\n]{0,200}\])?"
    r"|cline\s*\{[^}]*\}|cmidrule(?:\([^)]*\))?\s*\{[^}]*\}"
    r"|(?:row|cell)color\s{0,9}(?:\[[^\]\n]{0,200}\])?\{[^{}]{0,200}\})|(?:(?<=\\makecell)|(?<=\\shortstack)|(?<=\\thead))\[[^\]\n]{0,20}\]"
)
_TOKEN = re.compile(r"\\\\\*?(?:\[[^\]\n]*\])?|\\tabularnewline(?![A-Za-z])|\\(?:begin|end)(?=\{)|\\.|[{}&]", re.DOTALL)
_OPENING, _CLOSING = ("{", "\\begin"), ("}", "\\end")
_COLUMNS = re.compile(rf"\\multicolumn\s{{0,9}}\{{\s{{0,9}}(\d{{1,2}})\s{{0,9}}\}}\s{{0,9}}{_GROUP}\s{{0,9}}(?=\{{)")
_ROWS = re.compile(
    rf"\\multirow\s{{0,9}}{_OPTION}\{{\s{{0,9}}(-?\d{{1,2}})\s{{0,9}}\}}\s{{0,9}}{_OPTION}{_GROUP}\s{{0,9}}"
    rf"{_OPTION}(?=\{{)"
)
_HEADER_ROWS_MAX = 3


@dataclass
class _Grid:
    """The texts by row and column, and the ranges of merged cells as `MergedCells` takes them."""

    rows: list[list[str]] = field(default_factory=list)
    ranges: list[tuple[int, int, int, int]] = field(default_factory=list)

    def add_row(self, cells: Sequence[str], plain: Callable[[str], str]) -> None:
        self.rows.append([])
        for cell in cells:
            self._add(cell, plain)

    def _add(self, cell: str, plain: Callable[[str], str]) -> None:
        width, height = _span(_COLUMNS, cell), _span(_ROWS, cell)
        text = plain(_ROWS.sub("", _COLUMNS.sub("", cell)))
        row, column = len(self.rows), len(self.rows[-1]) + 1
        top = max(row + height + 1, 1) if height < 0 else row  # a negative height spans the rows above
        self.rows[-1] += [text, *[""] * (width - 1)]
        if top < row and len(self.rows[top - 1]) >= column:
            self.rows[top - 1][column - 1] = text
        if width > 1 or abs(height) > 1:
            self.ranges.append((column, top, column + width - 1, max(row, top + abs(height) - 1)))


def latex_table(source: str, environment: str, plain: Callable[[str], str]) -> Iterator[Block]:
    """The caption of a table, and the table.

    Args:
        source: of the environment.
        environment: its name.
        plain: the text of a piece of source.
    """
    source = source.removeprefix(f"\\begin{{{environment}}}").removesuffix(f"\\end{{{environment}}}")
    for _ in range(ENVIRONMENTS[environment]):
        source = _ARGUMENT.sub("", source, count=1) if _ARGUMENT.match(source) else source
    for caption in _CAPTION.findall(source)[:1]:
        yield Block(plain(caption))
    source = _once(_LABEL.sub("", _CAPTION.sub("", source)))
    lines = [line for line in _lines(source) if any(map(str.strip, line))]
    grid = _Grid()
    for line in lines:
        grid.add_row([_RULES.sub("", cell) for cell in line], plain)
    header_rows = _header_rows(lines, grid)
    merged = MergedCells(grid.ranges)
    rows = [merged.unfolded(number, row) for number, row in enumerate(grid.rows, 1)]
    yield from filter(None, [table_block(rows, header_rows=header_rows)])


def _once(source: str) -> str:
    """``source`` without the head and the foot that a long table repeats on further pages."""
    parts: dict[str, str] = {}
    start = 0
    for mark in _PART.finditer(source):
        parts.setdefault(mark[1], source[start : mark.start()])
        start = mark.end()
    head = parts.get("endfirsthead", parts.get("endhead", ""))
    return f"{head} {source[start:]} {parts.get('endlastfoot', '')}"


def _lines(source: str) -> Iterator[list[str]]:
    """The source of the cells by row; line breaks and separators within braces belong to their cell."""
    cells, parts, start, depth = [], [], 0, 0
    for token in _TOKEN.finditer(source):
        text = token[0]
        is_break = text.startswith(("\\\\", "\\tabularnewline"))
        depth = max(depth + (text in _OPENING) - (text in _CLOSING), 0)
        if not (is_break or (text == "&" and not depth)):
            continue
        parts.append(source[start : token.start()])
        start = token.end()
        if depth:
            parts.append(" ")
            continue
        cells.append("".join(parts))
        parts = []
        if is_break:
            yield cells
            cells = []
    yield [*cells, "".join([*parts, source[start:]])]


def _span(pattern: re.Pattern[str], cell: str) -> int:
    found = pattern.search(cell)
    return int(found[1]) or 1 if found else 1


def _header_rows(lines: Sequence[Sequence[str]], grid: _Grid) -> int:
    """The number of rows above the first rule between rows, if merged cells are among them; 0 if it is not known."""
    number = next((at for at, line in enumerate(lines) if at and _RULE.match(line[0])), 0)
    has_merged = any(top <= number for _, top, _, _ in grid.ranges)
    has_values = any(map(is_number, (cell for row in grid.rows[1:number] for cell in row)))
    return number if has_merged and number <= _HEADER_ROWS_MAX and not has_values else 0
