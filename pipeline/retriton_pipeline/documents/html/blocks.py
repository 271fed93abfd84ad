"""Converts an HTML tree to blocks."""

from __future__ import annotations

import re

from lxml import etree

from retriton_pipeline.documents.html.grid import is_data_table, table_grid, table_rows
from retriton_pipeline.documents.model import Block
from retriton_pipeline.documents.tables import table_block

_SKIPPED = {
    "script", "style", "noscript", "template", "head", "svg", "nav", "aside", "footer", "select", "button", "textarea",
    "iframe", "object",
}  # fmt: skip
_BLOCKS = {
    "html", "body", "article", "section", "main", "header", "div", "p", "blockquote", "figure", "figcaption", "address",
    "center", "details", "summary", "form", "fieldset", "dl", "dt", "dd", "tr", "td", "th", "caption", "hr", "li",
}  # fmt: skip
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BOLD_WEIGHT = re.compile(r"bold|[6-9]00")
_BOLD_FONT = re.compile(r"\bbold\b")
_SPACES = re.compile(r"[^\S\n]+")
_SPACES_AND_BREAK = re.compile(r" ?\n ?")
_STYLE_CHARACTERS_MAX = 4096
_BOLD_HEADING_LEVEL = 6
_BOLD_HEADING_CHARACTERS_MAX = 120


def html_blocks(root: etree._Element) -> list[Block]:
    """The headings, paragraphs, lists, tables and code below ``root``, in document order.

    Hidden elements, and elements that the page marks as navigation, are skipped.
    """
    walker = _Walker()
    walker.walk(root, bold=False)
    walker.end_paragraph()
    walker.end_list()
    return walker.blocks


class _Walker:
    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._text: list[str] = []
        self._all_bold = True
        self._items: list[str] = []  # of the current list
        self._list_depth = 0
        self._marker = ""

    def walk(self, element: etree._Element, bold: bool) -> None:
        tag = element.tag
        if not isinstance(tag, str) or tag in _SKIPPED or _is_hidden(element):
            return
        bold = bold or tag in ("b", "strong") or _is_bold(element)
        if tag == "br":
            self._text.append("\n")
        elif tag == "sup" and self._text and self._text[-1][-1:].isdecimal():
            self._text.append("^")  # an exponent
            self._walk_children(element, bold)
        elif tag == "table":
            self._walk_table(element, bold)
        elif tag == "pre":
            self._add_code(element)
        elif tag in _HEADINGS:
            self.end_paragraph()
            self._walk_children(element, bold)
            self.end_paragraph(_HEADINGS[tag])
        elif tag in ("ul", "ol"):
            self._walk_list(element, bold)
        elif tag in _BLOCKS:
            self.end_paragraph()
            self._walk_children(element, bold)
            self.end_paragraph()
        else:
            self._walk_children(element, bold)

    def _walk_children(self, element: etree._Element, bold: bool) -> None:
        self._add_text(element.text, bold)
        for child in element:
            self.walk(child, bold)
            self._add_text(child.tail, bold)

    def _add_text(self, text: str | None, bold: bool) -> None:
        if text:
            self._text.append(_SPACES.sub(" ", text.replace("\n", " ")))
            self._all_bold &= bold or not text.strip()

    def end_paragraph(self, level: int = 0) -> None:
        text = _SPACES_AND_BREAK.sub("\n", _SPACES.sub(" ", "".join(self._text))).strip()
        self._text.clear()
        all_bold, self._all_bold = self._all_bold, True
        if not text:
            return
        if self._list_depth and not level:
            self._items.append("  " * (self._list_depth - 1) + self._marker + text)
            self._marker = "  " if self._marker else ""
            return
        if not level and all_bold and _could_be_heading(text):
            level = _BOLD_HEADING_LEVEL
        self._add(Block(" ".join(text.split()) if level else text, heading_level=level))

    def end_list(self) -> None:
        if self._items:
            self.blocks.append(Block("\n".join(self._items)))
            self._items.clear()

    def _add(self, block: Block | None) -> None:
        self.end_list()
        if block and block.text.strip():
            self.blocks.append(block)

    def _walk_list(self, element: etree._Element, bold: bool) -> None:
        self.end_paragraph()
        self._list_depth += 1
        for number, child in enumerate((child for child in element if child.tag in ("li", "ul", "ol")), 1):
            self._marker = f"{number}. " if element.tag == "ol" else "- "
            self.walk(child, bold)
        self._list_depth -= 1
        if not self._list_depth:
            self.end_list()

    def _add_code(self, element: etree._Element) -> None:
        self.end_paragraph()
        code = "".join(map(str, element.itertext())).strip("\n").rstrip()
        self._add(Block(f"```\n{code}\n```", verbatim=True) if code.strip() else None)

    def _walk_table(self, element: etree._Element, bold: bool) -> None:
        self.end_paragraph()
        for caption in element.iterchildren("caption"):
            self.walk(caption, bold)
        rows = table_rows(element)
        is_nested = next(element.iterdescendants("table"), None) is not None
        grid = [] if is_nested else list(table_grid(rows, _cell_text))
        if is_data_table(grid):
            self._add(table_block(grid))
            return
        for row in rows:
            for cell in row.iterchildren("td", "th"):
                self.walk(cell, bold)


def _cell_text(cell: etree._Element) -> str:
    return " ".join(block.text for block in html_blocks(cell))


def _is_hidden(element: etree._Element) -> bool:
    if element.get("hidden") is not None:
        return True
    return any(
        (name.endswith("display") and value.startswith("none"))
        or (name.endswith("visibility") and value.startswith("hidden"))
        for name, value in _style(element)
    )


def _is_bold(element: etree._Element) -> bool:
    return any(
        (name.endswith("font-weight") and _BOLD_WEIGHT.match(value))
        or (name.endswith("font") and _BOLD_FONT.search(value))
        for name, value in _style(element)
    )


def _style(element: etree._Element) -> list[tuple[str, str]]:
    """The names and values of the declarations of the attribute ``style``."""
    declarations = element.get("style", "")[:_STYLE_CHARACTERS_MAX].lower().split(";")
    return [(name.strip(), value.strip()) for name, _, value in (text.partition(":") for text in declarations)]


def _could_be_heading(text: str) -> bool:
    return (
        len(text) <= _BOLD_HEADING_CHARACTERS_MAX
        and not text.endswith((".", ",", ";"))
        and any(character.isalpha() for character in text)
    )
