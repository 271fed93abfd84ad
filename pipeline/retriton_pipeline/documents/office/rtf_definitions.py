r"""The tables at the start of an RTF file: styles that are headings, and fonts of symbols."""

from __future__ import annotations

import re

from mammoth.docx.dingbats import dingbats

from retriton_pipeline.documents.office.rtf_marks import LEVELS_MAX

_STYLE = re.compile(r"\{\\s(\d{1,5})(?!\d)([^{};]{0,1000});")
_OUTLINE = re.compile(r"\\outlinelevel(\d)(?!\d)")
_NAME = re.compile(r"\bheading ([1-9])$", re.IGNORECASE)
_FONT = re.compile(
    r"\\f(\d{1,5})(?=[\\ ])[^{};]{0,200}?\\fcharset2(?=[\\ ])[^{};]{0,200}?(Symbol|Wingdings ?[23]?|Webdings);"
)
_STYLES_CHARACTERS, _FONTS_CHARACTERS = 256 * 1024, 64 * 1024
_HEAD_CHARACTERS = 1024**2


def heading_styles(text: str) -> dict[str, int]:
    """The levels of the paragraph styles that are headings, by the numbers of the styles."""
    start = text.find("{\\stylesheet", 0, _HEAD_CHARACTERS)
    levels: dict[str, int] = {}
    for style in _STYLE.finditer(text, max(start, 0), start + _STYLES_CHARACTERS) if start >= 0 else ():
        stated, name = _OUTLINE.search(style[2]), _NAME.search(style[2])
        level = int(stated[1]) + 1 if stated else int(name[1]) if name else 0
        if 0 < level <= LEVELS_MAX:
            levels.setdefault(style[1], level)
    return levels


def symbol_fonts(text: str) -> dict[str, str]:
    """The names of the fonts of symbols, by their numbers."""
    start = max(text.find("{\\fonttbl", 0, _HEAD_CHARACTERS), 0)
    return {font[1]: font[2] for font in _FONT.finditer(text, start, start + _FONTS_CHARACTERS)}


def symbol(font: str, code: int) -> str:
    """What a code shows in a font of symbols; empty if that is not known."""
    found = dingbats.get((font, code & 0xFF))
    return chr(found) if found else ""
