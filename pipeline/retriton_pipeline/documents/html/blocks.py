"""Converts an HTML tree to blocks."""

from __future__ import annotations

import re

from lxml import etree

from retriton_pipeline.documents.html.code_tables import code_text, file_names, preformatted_text
from retriton_pipeline.documents.html.controls import input_text
from retriton_pipeline.documents.html.elements import BLOCKS, SEPARATORS, SKIPPED, Surroundings, Visibility
from retriton_pipeline.documents.html.formulas import image_formula, mathml_text
from retriton_pipeline.documents.html.grid import (
    is_data_table,
    is_single_row_of_blocks,
    is_table_of_tables,
    table_grid,
    table_rows,
)
from retriton_pipeline.documents.html.inline import follows_link, is_reference_to_note, raised_text
from retriton_pipeline.documents.html.numbering import ItemMarkers
from retriton_pipeline.documents.html.origin import Origin
from retriton_pipeline.documents.html.parsing import parse_html
from retriton_pipeline.documents.joining import without_breaks
from retriton_pipeline.documents.model import Block
from retriton_pipeline.documents.tables import table_block

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_CONTINUED = "  "  # in place of the marker of an item, before its further paragraphs
_LEVELS_MAX = 12  # of nested lists that are shown by indentation
_FRAMES_MAX = 3  # pages within pages
_SPACES = re.compile(r"[^\S\n]+")
_SPACES_AND_BREAK = re.compile(r" ?\n ?")
_LAYOUT_ROLES = ("presentation", "none")  # of tables
_BOXES = "☐☒"  # of controls; without a text, a script uses them as switches
_BOLD_HEADING_LEVEL = 6
_BOLD_HEADING_CHARACTERS_MAX = 120


def html_blocks(root: etree._Element) -> list[Block]:
    """The headings, paragraphs, lists, tables and code below ``root``, in document order.

    Left out are hidden, deleted and struck text, commands, and what is marked as navigation. Tabs and panels that
    readers can open are not hidden.
    """
    return [block for block, _ in located_blocks(root)]


def html_line(root: etree._Element) -> str:
    """The text below ``root`` on one line."""
    return " ".join(
        " ".join(block.text for block, _ in _Walker(Visibility(root), is_cell=True).blocks_of(root)).split()
    )


def located_blocks(root: etree._Element) -> list[tuple[Block, Origin]]:
    """The blocks of `html_blocks`, each with its origin."""
    return _Walker(Visibility(root)).blocks_of(root)


class _Walker:
    """Collects the blocks below an element.

    Args:
        visibility: of the elements.
        is_cell: whether the element is a cell, whose text is one line.
        frames: the number of frames around it.
    """

    def __init__(self, visibility: Visibility, is_cell: bool = False, frames: int = 0) -> None:
        self._visibility = visibility
        self._is_cell = is_cell
        self._frames = frames
        self._blocks: list[tuple[Block, Origin]] = []
        self._text: list[str] = []
        self._all_bold = True
        self._controls = 0  # boxes of the paragraph that are controls, and not written
        self._origin = Origin()
        self._items: list[str] = []  # of the current list
        self._items_origin = Origin()
        self._lists: list[ItemMarkers] = []
        self._marker = ""

    def blocks_of(self, root: etree._Element) -> list[tuple[Block, Origin]]:
        self._walk(root, Surroundings())
        self._end_paragraph()
        self._end_list()
        return self._blocks

    def _walk(self, element: etree._Element, around: Surroundings) -> None:
        tag = element.tag
        if not isinstance(tag, str) or self._hides(element):
            return
        around = around.within(element)
        if walk := _WALKS.get(tag):
            walk(self, element, around)
        elif tag in _HEADINGS or tag in BLOCKS:
            self._end_paragraph()
            self._walk_children(element, around)
            self._end_paragraph(_HEADINGS.get(tag, 0))
        else:
            self._walk_inline(element, around)

    def _walk_inline(self, element: etree._Element, around: Surroundings) -> None:
        tag = element.tag
        if tag == "br":
            self._text.append("\n")
        elif tag == "input":
            self._add_text(box := input_text(element), around)
            self._controls += sum(map(box.count, _BOXES))
        elif tag == "img":
            self._add_text(image_formula(element), around)
        elif tag == "math":
            self._add_text(mathml_text(element), around)
        elif tag == "sup" or is_reference_to_note(element):
            self._walk_superscript(element, around)
        else:
            separator = SEPARATORS.get(tag, " " if "-" in tag else "")  # custom elements have a hyphen
            self._text.append(separator or " " * follows_link(element))
            self._walk_children(element, around)
            self._text.append(separator)

    def _walk_superscript(self, element: etree._Element, around: Surroundings) -> None:
        start = len(self._text)
        before = next((part[-1] for part in reversed(self._text) if part), "")
        self._walk_children(element, around)
        is_linked = around.linked or next(element.iterdescendants("a"), None) is not None
        self._text[start:] = [raised_text("".join(self._text[start:]), before, is_linked)]

    def _walk_children(self, element: etree._Element, around: Surroundings) -> None:
        self._add_text(element.text, around)
        for child in element:
            self._walk(child, around)
            self._add_text(child.tail, around)

    def _add_text(self, text: str | None, around: Surroundings) -> None:
        if text:
            on_one_line = text if around.keeps_lines else without_breaks(text).replace("\n", " ")
            self._text.append(_SPACES.sub(" ", on_one_line))
            if characters := len(text.strip()):
                self._all_bold &= around.bold
                self._origin.add(characters, around)

    def _end_paragraph(self, level: int = 0) -> None:
        text = _SPACES_AND_BREAK.sub("\n", _SPACES.sub(" ", "".join(self._text))).strip()
        self._text.clear()
        all_bold, self._all_bold = self._all_bold, True
        origin, self._origin = self._origin, Origin()
        controls, self._controls = self._controls, 0
        if not text.strip(_BOXES + " \n") and sum(map(text.count, _BOXES)) == controls:
            return
        if self._lists and not level:
            depth = min(len(self._lists), _LEVELS_MAX) - 1
            self._items.append(_CONTINUED * depth + self._marker + text)
            self._items_origin.include(origin)
        elif level:
            number = self._marker if self._marker.strip(" -") else ""
            self._add(Block(number + " ".join(text.split()), heading_level=level), origin)
        elif all_bold and _could_be_heading(text):
            self._add(Block(" ".join(text.split()), heading_level=_BOLD_HEADING_LEVEL), origin)
        else:
            self._add(Block(text), origin)
        self._marker = _CONTINUED if self._marker else ""

    def _end_list(self) -> None:
        if self._items:
            self._blocks.append((Block("\n".join(self._items)), self._items_origin))
            self._items, self._items_origin = [], Origin()

    def _add(self, block: Block | None, origin: Origin) -> None:
        self._end_list()
        if block and block.text.strip():
            self._blocks.append((block, origin))

    def _walk_list(self, element: etree._Element, around: Surroundings) -> None:
        self._end_paragraph()
        marker, self._marker = self._marker, ""
        self._lists.append(ItemMarkers(element, self._visibility.list_style(element)))
        self._walk_children(element, around)
        self._end_paragraph()
        self._lists.pop()
        self._marker = marker
        if not self._lists:
            self._end_list()

    def _walk_item(self, element: etree._Element, around: Surroundings) -> None:
        self._end_paragraph()
        self._marker = self._lists[-1].marker(element) if self._lists else ""
        self._walk_children(element, around)
        self._end_paragraph()
        self._marker = ""

    def _add_code(self, element: etree._Element, around: Surroundings) -> None:
        self._end_paragraph()
        self._add_fenced(preformatted_text(element, self._hides), around)

    def _add_fenced(self, text: str, around: Surroundings) -> None:
        code = text.strip("\n").rstrip()
        origin = Origin()
        origin.add(len(code), around)
        fenced = code.strip() if self._is_cell else f"```\n{code}\n```"
        self._add(Block(fenced, verbatim=True) if code.strip() else None, origin)

    def _hides(self, element: etree._Element) -> bool:
        return element.tag in SKIPPED or self._visibility.hides(element)

    def _walk_table(self, element: etree._Element, around: Surroundings) -> None:
        self._end_paragraph()
        for caption in element.iterchildren("caption"):
            self._walk(caption, around)
        if code := code_text(element, self._hides):
            for name in file_names(element):
                self._walk(name, around)
            self._add_fenced(code, around)
            return
        rows = table_rows(element, self._hides)
        if self._is_cell:
            texts = ([self._cell_text(cell) for cell in row.iterchildren("td", "th")] for row in rows)
            self._add(Block("; ".join(filter(None, map(" ".join, texts)))), Origin())
            return
        nests = next(element.iterdescendants("table"), None) is not None
        lays_out = element.get("role") in _LAYOUT_ROLES or is_single_row_of_blocks(rows)
        is_grid = not lays_out and (not nests or is_table_of_tables(element, rows))
        grid = table_grid(rows, self._cell_text) if is_grid else None
        if grid is None or not is_data_table(grid):
            for row in rows:
                for cell in row.iterchildren("td", "th"):
                    self._walk(cell, around)
            return
        for text in (*grid.titles, table_block(grid.rows, header_rows=grid.header_rows)):
            block = Block(text) if isinstance(text, str) else text
            origin = Origin()
            origin.add(len(block.text) if block else 0, around)
            self._add(block, origin)

    def _cell_text(self, cell: etree._Element) -> str:
        walker = _Walker(self._visibility, is_cell=True, frames=self._frames)
        return " ".join(block.text for block, _ in walker.blocks_of(cell))

    def _walk_frame(self, element: etree._Element, around: Surroundings) -> None:
        page = element.get("srcdoc")
        tree = parse_html(page) if page and self._frames < _FRAMES_MAX else None
        if tree is not None:
            self._end_paragraph()
            for block, origin in _Walker(Visibility(tree), self._is_cell, self._frames + 1).blocks_of(tree):
                self._add(block, Origin(origin.characters, origin.linked, 0, around.boilerplate, around.container))

    def _walk_drawing(self, element: etree._Element, around: Surroundings) -> None:
        lines = ("".join(map(str, text.itertext())) for text in element.iter("text"))
        for line in filter(None, (" ".join(line.split()) for line in lines)):
            self._end_paragraph()
            self._add_text(line, around)
            self._end_paragraph()


_WALKS = {
    "table": _Walker._walk_table,
    **dict.fromkeys(("pre", "xmp", "listing", "plaintext"), _Walker._add_code),
    "li": _Walker._walk_item,
    "iframe": _Walker._walk_frame,
    "svg": _Walker._walk_drawing,
    **dict.fromkeys(("ul", "ol", "menu", "dir"), _Walker._walk_list),
}


def _could_be_heading(text: str) -> bool:
    return (
        len(text) <= _BOLD_HEADING_CHARACTERS_MAX
        and not text.endswith((".", ",", ";"))
        and any(character.isalpha() for character in text)
    )
