"""The paragraphs of shapes and cells as slides display them: indented by their levels, with their numbers."""

from __future__ import annotations

import re

from lxml import etree
from pptx.text.text import TextFrame

from retriton_pipeline.documents.numerals import numeral
from retriton_pipeline.documents.office.ooxml import DRAWING

_NUMBERED = re.compile(
    r"(arabic|alphaLc|alphaUc|romanLc|romanUc|circleNum|ea1Ch[st]|ea1Jpn(?:Chs|Kor))"
    r"(?:Db|WdBlack|WdWhite)?(Period|ParenR|ParenBoth|Plain)"
)
_STYLES = {
    "arabic": "decimal",
    "alphaLc": "lowerLetter",
    "alphaUc": "upperLetter",
    "romanLc": "lowerRoman",
    "romanUc": "upperRoman",
    "circleNum": "decimalEnclosedCircle",
}
_FORMS = {"Period": "{}.", "ParenR": "{})", "ParenBoth": "({})", "Plain": "{}"}
_BULLETS = ("buNone", "buAutoNum", "buChar", "buBlip")
_BASES_MAX = 3  # a placeholder of a slide, of its layout and of the master
_INDENT = "  "


def text_lines(frame: TextFrame) -> str:
    """The lines of ``frame`` that are not blank."""
    return "\n".join(filter(None, frame_lines(frame))).strip()


def frame_lines(frame: TextFrame) -> list[str]:
    """The lines of ``frame``, blank ones included, with the numbers of numbered paragraphs."""
    lines: list[str] = []
    styles = _list_styles(frame)
    counts: dict[int, tuple[str, int]] = {}  # by level: the numbering of the last paragraph, and its number
    top = min((paragraph.level for paragraph in frame.paragraphs if paragraph.text.strip()), default=0)
    for paragraph in frame.paragraphs:
        first, *others = (line.strip() for line in paragraph.text.replace("\v", "\n").split("\n"))
        number = _number(paragraph._p, paragraph.level, counts, styles, not paragraph.text.strip())
        indent = _INDENT * (paragraph.level - top)
        lines += [f"{indent}{line}" if line else "" for line in (f"{number} {first}".strip(), *others)]
    return lines


def _list_styles(frame: TextFrame) -> list[etree._Element]:
    """The styles of the levels of ``frame``, and of the placeholders that it is based on; the nearest first."""
    styles = [frame._txBody.find(f"{DRAWING}lstStyle")]
    holder = frame._parent
    for _ in range(_BASES_MAX - 1):
        holder = getattr(holder, "_base_placeholder", None)
        styles += [next(holder.element.iter(f"{DRAWING}lstStyle"), None)] if holder is not None else []
    return [style for style in styles if style is not None]


def _bullet(paragraph: etree._Element, level: int, styles: list[etree._Element]) -> etree._Element | None:
    """What ``paragraph`` or the nearest style states as its bullet or number."""
    stated = [paragraph.find(f"{DRAWING}pPr"), *(style.find(f"{DRAWING}lvl{level + 1}pPr") for style in styles)]
    bullets = (part.find(f"{DRAWING}{name}") for part in stated if part is not None for name in _BULLETS)
    return next((bullet for bullet in bullets if bullet is not None), None)


def _number(
    paragraph: etree._Element,
    level: int,
    counts: dict[int, tuple[str, int]],
    styles: list[etree._Element],
    is_blank: bool,
) -> str:
    for deeper in [known for known in counts if known > level]:
        del counts[deeper]
    automatic = _bullet(paragraph, level, styles)
    match = None if automatic is None else _NUMBERED.fullmatch(automatic.get("type", ""))
    if automatic is None or match is None:
        counts.pop(level, None)
        return ""
    if is_blank:  # has no number
        return ""
    start = automatic.get("startAt", "1")
    key = f"{match[0]} {start}"
    before, count = counts.get(level, ("", 0))
    count = count + 1 if before == key else int(start) if start.isdecimal() and len(start) < 6 else 1
    counts[level] = (key, count)
    return _FORMS[match[2]].format(numeral(count, _STYLES.get(match[1], "chineseCounting")))
