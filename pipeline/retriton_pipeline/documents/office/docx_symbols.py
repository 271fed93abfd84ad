"""Characters of a DOCX in fonts of symbols, and white text."""

from __future__ import annotations

import re
from functools import lru_cache

from lxml import etree
from mammoth.docx.dingbats import dingbats

from retriton_pipeline.documents.office.ooxml import WORD

_VALUE = f"{WORD}val"
_PRIVATE = re.compile("[\uf020-\uf0ff]")
_SYMBOL_FONTS = ("Symbol", "Wingdings", "Wingdings 2", "Wingdings 3", "Webdings")
_CODES = range(0xF020, 0xF100)
_FONTS = ("ascii", "hAnsi", "cs")
_WHITE = ("ffffff", "fefefe")
_SHADED = ("shd", "highlight")
_SIZE_MIN = 3  # in half points; smaller text cannot be read


def map_symbols(root: etree._Element) -> None:
    """Replaces the private codes and the letters of fonts such as Wingdings by the characters that these show."""
    for text in root.iter(f"{WORD}t"):
        run = text.getparent()
        fonts = run.find(f"{WORD}rPr/{WORD}rFonts") if run is not None else None
        if text.text and _PRIVATE.search(text.text):
            names = {fonts.get(f"{WORD}{kind}", "") for kind in _FONTS} if fonts is not None else set()
            text.text = text.text.translate(_symbols(frozenset(names)))
        elif text.text and fonts is not None and (name := fonts.get(f"{WORD}ascii")) in _SYMBOL_FONTS:
            text.text = text.text.translate(
                {code & 0xFF: sign for code, sign in _symbols(frozenset([name])).items() if sign}
            )


@lru_cache(maxsize=64)
def _symbols(fonts: frozenset[str]) -> dict[int, str]:
    """What each private code shows in the first of ``fonts`` that has it; nothing if none has."""
    shown = dict.fromkeys(_CODES, "")
    for font in sorted(fonts, reverse=True):
        shown |= {code: chr(dingbats[font, code & 0xFF]) for code in _CODES if (font, code & 0xFF) in dingbats}
    return shown


def is_out_of_sight(run: etree._Element, has_background: bool) -> bool:
    """Whether the text of ``run`` is white on the white page, or too small.

    Tables and shapes often have colours of their own, which styles and themes determine.

    Args:
        run: of a paragraph.
        has_background: whether the page has a colour.
    """
    properties = run.find(f"{WORD}rPr")
    if properties is None:
        return False
    size = properties.find(f"{WORD}sz")
    if size is not None and (value := size.get(_VALUE, "")).isdecimal() and int(value[:9]) < _SIZE_MIN:
        return True
    colour = properties.find(f"{WORD}color")
    if colour is None or has_background or colour.get(_VALUE, "").lower() not in _WHITE:
        return False
    around = [
        properties,
        *(found for parent in run.iterancestors(f"{WORD}p") for found in parent.findall(f"{WORD}pPr")),
    ]
    is_shaded = any(part.find(f"{WORD}{kind}") is not None for part in around for kind in _SHADED)
    is_styled = any(part.find(f"{WORD}{kind}") is not None for part in around for kind in ("pStyle", "rStyle"))
    in_shape = next(run.iterancestors(f"{WORD}tbl", f"{WORD}txbxContent"), None) is not None
    return not (is_shaded or is_styled or in_shape)
