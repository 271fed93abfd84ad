"""Lists of AsciiDoc, whose items state their level by repeated marks: they get the numbers that are shown."""

from __future__ import annotations

import re

from retriton_pipeline.documents.html.numbering import numeral

_ITEM = re.compile(r"[ \t]*(\.{1,5}|\*{1,5}|-)[ \t]+(\S.*)")
_KINDS = "1aiAI"  # of the levels of numbers
_INDENT = "  "


class ListMarkers:
    """Counts the items of the lists in the lines of a document, in order."""

    def __init__(self) -> None:
        self._open: list[list[str | int]] = []  # the marks of the lists around a line, and the numbers of their items
        self._is_apart = False  # whether the line before is blank

    def shown(self, line: str) -> str:
        """``line`` with the number or bullet of its item."""
        item = _ITEM.fullmatch(line)
        was_apart, self._is_apart = self._is_apart, not line.strip()
        if item is None:
            if was_apart and line.strip():
                self._open.clear()  # a paragraph
            return line
        marks = [mark for mark, _ in self._open]
        del self._open[marks.index(item[1]) + 1 if item[1] in marks else len(marks) :]
        if item[1] not in marks:
            self._open.append([item[1], 0])
        self._open[-1][1] = int(self._open[-1][1]) + 1
        level = sum(str(mark).startswith(".") for mark, _ in self._open) - 1
        number = numeral(int(self._open[-1][1]), _KINDS[min(level, len(_KINDS) - 1)])
        marker = f"{number}." if item[1].startswith(".") else "-"
        return f"{_INDENT * (len(self._open) - 1)}{marker} {item[2]}"

    def end(self) -> None:
        """Ends all lists, as a heading does."""
        self._open.clear()
