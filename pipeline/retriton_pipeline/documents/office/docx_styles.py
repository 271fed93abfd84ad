"""What the styles of a DOCX state about the visibility and the numbering of paragraphs."""

from __future__ import annotations

from lxml import etree

from retriton_pipeline.documents.office.ooxml import WORD, is_on

_VALUE = f"{WORD}val"
_BASES_MAX = 16


class Styles:
    """The styles of a document.

    Args:
        root: the root of ``styles.xml``; None if there is none.
    """

    def __init__(self, root: etree._Element | None) -> None:
        styles = root.iter(f"{WORD}style") if root is not None else ()
        self._styles = {style.get(f"{WORD}styleId", ""): style for style in styles}

    def is_hidden(self, run: etree._Element, paragraph_style: str) -> bool:
        """Whether the text of ``run`` is hidden, by itself or by its style or by that of its paragraph."""
        own = run.find(f"{WORD}rPr/{WORD}vanish")
        if own is not None:
            return is_on(own, _VALUE)
        style = run.find(f"{WORD}rPr/{WORD}rStyle")
        names = ([] if style is None else [style.get(_VALUE, "")]) + [paragraph_style]
        return any(is_on(self._inherited(name, f"{WORD}rPr/{WORD}vanish"), _VALUE) for name in names)

    def numbering(self, paragraph: etree._Element) -> tuple[str, int | None, str]:
        """The id of the list that ``paragraph`` is in (empty if none), its level if stated, and its style."""
        style = style_of(paragraph)
        path = f"{WORD}pPr/{WORD}numPr"
        own = paragraph.find(path)
        inherited = self._inherited(style, path)
        number = _value(own, "numId") or _value(inherited, "numId")
        level = _value(own, "ilvl") or _value(inherited, "ilvl")
        return number, int(level) if level.isdecimal() and len(level) < 3 else None, style

    def _inherited(self, name: str, path: str) -> etree._Element | None:
        """The property at ``path`` of the style ``name`` or of one that it is based on."""
        for _ in range(_BASES_MAX):
            style = self._styles.get(name)
            if style is None:
                return None
            if (found := style.find(path)) is not None:
                return found
            base = style.find(f"{WORD}basedOn")
            name = "" if base is None else base.get(_VALUE, "")
        return None


def style_of(paragraph: etree._Element) -> str:
    """The id of the style of ``paragraph``; empty if it states none."""
    style = paragraph.find(f"{WORD}pPr/{WORD}pStyle")
    return "" if style is None else style.get(_VALUE, "")


def _value(numbering: etree._Element | None, name: str) -> str:
    found = None if numbering is None else numbering.find(f"{WORD}{name}")
    return "" if found is None else found.get(_VALUE, "")
