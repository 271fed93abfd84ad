r"""Control words of RTF that marks replace: of cells, of lines within them, of headings, and of fonts of symbols."""

from __future__ import annotations

from dataclasses import dataclass, field

from retriton_pipeline.documents.office.rtf_definitions import heading_styles, symbol, symbol_fonts
from retriton_pipeline.documents.office.rtf_marks import CELL, LEVELS_MAX, LINE, ROW, escaped, heading_mark
from retriton_pipeline.documents.office.rtf_tables import COLUMNS_MAX, CellForm

_MERGED = ("clmrg", "clvmrg")
_BREAKS = ("par", "line")
_PRIVATE = 0xF000  # codes of symbols


@dataclass
class Group:
    """A group in braces: where its text goes, and the properties of the text."""

    output: list[str]
    hidden_by: frozenset[str] = frozenset()
    kind: str = ""
    is_moved: bool = False
    form: dict[str, int] = field(default_factory=dict)
    in_table: bool = False
    heading: int = 0
    font: str = ""
    ends_nested_row: bool = False


class Marks:
    """Replaces control words of a file.

    Args:
        text: the file.

    Attributes:
        rows: the cells of each row of a table, by the number after its mark.
    """

    def __init__(self, text: str) -> None:
        self.rows: list[list[CellForm]] = []
        self._cells: list[CellForm] = []  # of the current row
        self._merged: set[str] = set()  # how the next cell is merged
        self._headings = heading_styles(text)
        self._has_headings = False  # a paragraph may begin with the mark of the one before
        self._is_after_code = False  # the next character stands for one that older programs do not know
        self._symbols: dict[str, str] = {}
        self._symbols_of_file = symbol_fonts(text)

    def close(self, group: Group) -> None:
        """Ends ``group``; fonts have a meaning after their table."""
        if group.kind == "fonttbl":
            self._symbols = self._symbols_of_file

    def shown(self, group: Group, text: str) -> str:
        """``text`` of ``group``, which may be an escaped character, as what it shows in a font of symbols."""
        font = self._symbols.get(group.font)
        if font is None or not text or (text.startswith("\\") and not text.startswith("\\'")):
            return text
        is_fallback, self._is_after_code = self._is_after_code, False
        if text.startswith("\\'"):
            return text if is_fallback else escaped(symbol(font, int(text[2:], 16))) or text
        start = 1 if is_fallback else 0
        return text[:start] + "".join(escaped(symbol(font, ord(sign))) or sign for sign in text[start:])

    def replaced(self, group: Group, word: str, value: str | None) -> str:
        """What replaces a control word; empty for others."""
        number = int(value or 0)
        if group.kind != "nesttableprops":
            self._define_cell(word, number)
        if word in ("s", "outlinelevel"):
            return self._heading(group, word, number)
        if word == "pard":
            group.in_table, group.heading = False, 0
            return f"\\pard {escaped(heading_mark(0))}" if self._has_headings else ""
        if word == "intbl":
            group.in_table = True
        elif word in ("f", "plain"):
            group.font = str(number) if word == "f" else ""
        elif word == "nestrow":
            group.ends_nested_row = True
        return self._text(group, word, number)

    def _define_cell(self, word: str, number: int) -> None:
        if word == "trowd":
            self._cells, self._merged = [], set()
        elif word in _MERGED:
            self._merged.add(word)
        elif word == "cellx":
            form = CellForm(number, *(kind in self._merged for kind in _MERGED))
            self._cells = [*self._cells[:COLUMNS_MAX], form]  # rows share their cells
            self._merged = set()

    def _heading(self, group: Group, word: str, number: int) -> str:
        level = self._headings.get(str(number), 0) if word == "s" else number + 1
        group.heading = level if 0 < level <= LEVELS_MAX else 0
        self._has_headings |= group.heading > 0
        return f"\\{word}{number} {escaped(heading_mark(group.heading))}" if self._has_headings else ""

    def _text(self, group: Group, word: str, number: int) -> str:
        """What replaces a control word that is shown, or separates what is."""
        if word == "row":
            self.rows.append(self._cells)
            return f"{escaped(ROW)}{len(self.rows) - 1}\\row "
        if (word in _BREAKS and group.in_table) or (word == "line" and group.heading):
            return escaped(LINE)
        if word == "par" and group.heading:
            return f"\\par {escaped(heading_mark(group.heading))}"
        code = number % 0x10000
        self._is_after_code = word == "u"
        if word == "u" and group.font in self._symbols and code & 0xFF00 == _PRIVATE:
            return f"\\u{ord(shown)} " if (shown := symbol(self._symbols[group.font], code)) else ""
        return {"cell": escaped(CELL), "nestcell": " "}.get(word, "")
