r"""Marks in the text of an RTF file for what striprtf does not tell: cells, lines in cells, and headings.

They are characters for private use.
"""

from __future__ import annotations

import re

CELL, LINE, ROW = "\ue020", "\ue021", "\ue022"  # the number of a row follows its mark
_HEADING = 0xE030  # and the following ones, by level
LEVELS_MAX = 9
HEADING_MARKS = re.compile(f"[{chr(_HEADING)}-{chr(_HEADING + LEVELS_MAX)}]")


def escaped(text: str) -> str:
    r"""``text`` as RTF, whatever the number of characters that replace each elsewhere (``\uc``)."""
    codes = "".join(f"\\u{ord(character)} " for character in text)
    return f"{{\\uc0{codes}}}" if text else ""


def heading_mark(level: int) -> str:
    """The mark in a heading of ``level``, from 1, or in a paragraph that is none."""
    return chr(_HEADING + (level if level <= LEVELS_MAX else 0))


def heading_level(line: str) -> int:
    """The level that the last mark in ``line`` states; 0 if there is none, or nothing else."""
    marks = HEADING_MARKS.findall(line)
    return ord(marks[-1]) - _HEADING if marks and HEADING_MARKS.sub("", line).strip() else 0
