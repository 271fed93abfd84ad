"""What the styles of a DOCX state about the visibility, the numbering and the outline of paragraphs."""

from __future__ import annotations

from lxml import etree

from retriton_pipeline.documents.office.ooxml import WORD, is_on

_VALUE = f"{WORD}val"
_BASES_MAX = 16
_UNSEEN = ("vanish", "strike", "dstrike")
_OUTLINE_LEVELS = tuple("012345678")


class Styles:
    """The styles of a document.

    Args:
        root: the root of ``styles.xml``; None if there is none.
    """

    def __init__(self, root: etree._Element | None) -> None:
        styles = root.iter(f"{WORD}style") if root is not None else ()
        self._found: dict[tuple[str, str], etree._Element | None] = {}
        self._styles = {style.get(f"{WORD}styleId", ""): style for style in styles}

    def is_hidden(self, run: etree._Element, paragraph_style: str) -> bool:
        """Whether the text of ``run`` is hidden or struck, by itself or by its style or by that of its paragraph."""
        style = run.find(f"{WORD}rPr/{WORD}rStyle")
        names = ([] if style is None else [style.get(_VALUE, "")]) + [paragraph_style]
        return any(self._is_on(run, names, f"{WORD}rPr/{WORD}{kind}") for kind in _UNSEEN)

    def _is_on(self, run: etree._Element, styles: list[str], path: str) -> bool:
        own = run.find(path)
        if own is not None:
            return is_on(own, _VALUE)
        return any(is_on(self._inherited(name, path), _VALUE) for name in styles)

    def numbering(self, paragraph: etree._Element) -> tuple[str, int | None, str]:
        """The id of the list that ``paragraph`` is in (empty if none), its level if stated, and its style."""
        style = style_of(paragraph)
        number, level = (self._stated(paragraph, style, f"numPr/{WORD}{name}") for name in ("numId", "ilvl"))
        return number, int(level) if level.isdecimal() and len(level) < 3 else None, style

    def heading_level(self, paragraph: etree._Element) -> int:
        """The level of ``paragraph`` in the outline, from 1; 0 if it is no heading."""
        level = self._stated(paragraph, style_of(paragraph), "outlineLvl")
        return int(level) + 1 if level in _OUTLINE_LEVELS else 0

    def _stated(self, paragraph: etree._Element, style: str, name: str) -> str:
        """The value of a property of ``paragraph``, or of its style or one that it is based on; empty if none has it.

        Each is inherited for itself: a style can state the level of a list only.
        """
        path = f"{WORD}pPr/{WORD}{name}"
        own = paragraph.find(path)
        found = self._inherited(style, path) if own is None else own
        return "" if found is None else found.get(_VALUE, "")

    def _inherited(self, name: str, path: str) -> etree._Element | None:
        """The property at ``path`` of the style ``name`` or of one that it is based on."""
        key = name, path
        if key not in self._found:
            self._found[key] = self._search(name, path)
        return self._found[key]

    def _search(self, name: str, path: str) -> etree._Element | None:
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
