"""Text of cells and slides that nobody sees: struck, or in the colour of its background.

As in DOCX, ODT, RTF and PDF, it is not stored: it is no longer valid, or addresses whoever reads the file by program.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import IO, Any

from lxml import etree
from openpyxl.styles.colors import COLOR_INDEX
from openpyxl.styles.fills import PatternFill

from retriton_pipeline.documents.office.ooxml import DRAWING, is_on, related_name

WHITE, _BLACK = "FFFFFF", "000000"
_RUN, _STRUCK, _TEXT = "{*}r", "{*}rPr/{*}strike", "{*}r/{*}t"  # also of strict files
_STRIKES = ("sngStrike", "dblStrike")
_SYSTEM_COLOURS = {64: _BLACK, 65: WHITE}
_THEME_COLOURS = {0: WHITE, 1: _BLACK}
_OWN_COLOURS = (b"conditionalFormatting", b"tablePart", b"<picture")  # which a sheet has besides those of its cells
_WINDOW_BYTES, _OVERLAP_BYTES = 1024**2, 64


class UnseenStyles:
    """The styles of an XLSX whose text is not seen.

    Args:
        workbook: an openpyxl workbook.
    """

    def __init__(self, workbook: Any) -> None:
        fonts, fills = workbook._fonts, workbook._fills
        self._struck, self._same = set(), set()
        for number, style in enumerate(workbook._cell_styles):
            font = fonts[style.fontId] if style.fontId < len(fonts) else None
            fill = fills[style.fillId] if style.fillId < len(fills) else None
            if font is not None and font.strike:
                self._struck.add(number)
            elif font is not None and fill is not None and _colour(font.color) == _background(fill):
                self._same.add(number)

    def of(self, source: IO[bytes]) -> set[int]:
        """The styles whose text is not seen on the sheet with the XML ``source``."""
        return self._struck if not self._same or has_any(source, _OWN_COLOURS) else self._struck | self._same


def _colour(colour: Any) -> str:
    """A colour as six hexadecimal digits, or the name of one of the theme."""
    if colour is None or colour.type == "auto":
        return _BLACK
    if colour.type == "indexed":
        number = colour.indexed
        return _SYSTEM_COLOURS.get(number) or (COLOR_INDEX[number][-6:] if number < len(COLOR_INDEX) else _BLACK)
    if colour.type == "theme":
        return f"{_THEME_COLOURS.get(colour.theme, colour.theme)}{colour.tint or ''}"
    return str(colour.rgb)[-6:].upper()


def _background(fill: Any) -> str:
    """As `_colour`; empty if it is a pattern or a gradient."""
    if not isinstance(fill, PatternFill):
        return ""
    return WHITE if fill.fill_type is None else _colour(fill.fgColor) if fill.fill_type == "solid" else ""


def has_any(source: IO[bytes], names: tuple[bytes, ...]) -> bool:
    """Whether any of ``names`` occurs in ``source``, which is read in pieces."""
    tail = b""
    while window := source.read(_WINDOW_BYTES):
        window = tail + window
        if any(name in window for name in names):
            return True
        tail = window[-_OVERLAP_BYTES:]
    return False


def strings_without_struck(archive: zipfile.ZipFile) -> Iterator[tuple[int, str]]:
    """The numbers and the rest of those shared strings of an XLSX of which a part is struck."""
    name = related_name(archive, "xl/workbook.xml", "sharedStrings", "xl/sharedStrings.xml")
    if name not in archive.namelist():
        return
    with archive.open(name) as source:
        if not has_any(source, (b"strike",)):
            return
    with archive.open(name) as source:
        for number, (_, element) in enumerate(etree.iterparse(source, tag="{*}si", resolve_entities=False)):
            if remove_struck_runs(element):
                yield number, "".join(text.text or "" for text in element.iterfind(_TEXT))
            element.clear()


def remove_struck_runs(string: Any) -> bool:
    """Removes the struck runs of a string of an XLSX; whether there were any."""
    struck = [run for run in string.findall(_RUN) if is_on(run.find(_STRUCK), "val")]
    for run in struck:
        string.remove(run)
    return bool(struck)


def remove_struck_text(root: etree._Element) -> None:
    """Removes the struck runs of a slide, or of another drawing."""
    for properties in list(root.iter(f"{DRAWING}rPr")):
        run = properties.getparent()
        if properties.get("strike") in _STRIKES and run is not None and (parent := run.getparent()) is not None:
            parent.remove(run)
