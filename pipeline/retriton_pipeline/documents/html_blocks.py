"""The blocks of an HTML tree: what web pages, DOCX, EPUB, ODT and mails are turned into on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree, html

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
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_BOLD = re.compile(r"font-weight\s*:\s*(bold|[6-9]00)|font\s*:[^;]*\bbold\b", re.IGNORECASE)
_SPACES = re.compile(r"[^\S\n]+")
_SPACES_AND_BREAK = re.compile(r" ?\n ?")
_BOLD_HEADING_LEVEL = 6
_BOLD_HEADING_CHARACTERS_MAX = 120
_CELL_CHARACTERS_MAX = 1000  # of data
_SPAN_MAX = 100


def parse_html(page: str) -> html.HtmlElement | None:
    """The tree of ``page``; None if there is nothing in it."""
    try:
        parser = html.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True)
        return html.document_fromstring(page.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:
        return None


def html_blocks(root: etree._Element) -> list[Block]:
    """All text below ``root`` in its order: headings, paragraphs, lists, tables and code.

    What is hidden, and what the page itself marks as navigation, is left out.
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
        self._items: list[str] = []  # of the list that is read
        self._depth = 0
        self._marker = ""

    def walk(self, element: etree._Element, bold: bool) -> None:
        tag = element.tag
        if not isinstance(tag, str) or tag in _SKIPPED or _is_hidden(element):
            return
        bold = bold or tag in ("b", "strong") or bool(_BOLD.search(element.get("style", "")))
        if tag == "br":
            self._text.append("\n")
        elif tag == "sup" and self._text and self._text[-1][-1:].isdecimal():
            self._text.append("^")  # a power
            self._children(element, bold)
        elif tag == "table":
            self._table(element, bold)
        elif tag == "pre":
            self._code(element)
        elif tag in _HEADINGS:
            self.end_paragraph()
            self._children(element, bold)
            self.end_paragraph(_HEADINGS[tag])
        elif tag in ("ul", "ol"):
            self._list(element, bold)
        elif tag in _BLOCKS:
            self.end_paragraph()
            self._children(element, bold)
            self.end_paragraph()
        else:
            self._children(element, bold)

    def _children(self, element: etree._Element, bold: bool) -> None:
        self._inline(element.text, bold)
        for child in element:
            self.walk(child, bold)
            self._inline(child.tail, bold)

    def _inline(self, text: str | None, bold: bool) -> None:
        if text:
            self._text.append(_SPACES.sub(" ", text.replace("\n", " ")))
            self._all_bold &= bold or not text.strip()

    def end_paragraph(self, level: int = 0) -> None:
        text = _SPACES_AND_BREAK.sub("\n", _SPACES.sub(" ", "".join(self._text))).strip()
        self._text.clear()
        all_bold, self._all_bold = self._all_bold, True
        if not text:
            return
        if self._depth and not level:
            self._items.append("  " * (self._depth - 1) + self._marker + text)
            self._marker = "  " if self._marker else ""
            return
        if not level and all_bold and _could_be_heading(text):
            level = _BOLD_HEADING_LEVEL
        self._append(Block(" ".join(text.split()) if level else text, heading_level=level))

    def end_list(self) -> None:
        if self._items:
            self.blocks.append(Block("\n".join(self._items)))
            self._items.clear()

    def _append(self, block: Block | None) -> None:
        self.end_list()
        if block and block.text.strip():
            self.blocks.append(block)

    def _list(self, element: etree._Element, bold: bool) -> None:
        self.end_paragraph()
        self._depth += 1
        for number, child in enumerate((child for child in element if child.tag in ("li", "ul", "ol")), 1):
            self._marker = f"{number}. " if element.tag == "ol" else "- "
            self.walk(child, bold)
        self._depth -= 1
        if not self._depth:
            self.end_list()

    def _code(self, element: etree._Element) -> None:
        self.end_paragraph()
        code = "".join(map(str, element.itertext())).strip("\n").rstrip()
        self._append(Block(f"```\n{code}\n```", verbatim=True) if code.strip() else None)

    def _table(self, element: etree._Element, bold: bool) -> None:
        self.end_paragraph()
        for caption in element.iterchildren("caption"):
            self.walk(caption, bold)
        rows = [row for row in element.iter("tr") if next(row.iterancestors("table")) is element]
        grid = [] if next(element.iterdescendants("table"), None) is not None else list(_grid(rows))
        if _is_data(grid):
            self._append(table_block(grid))
            return
        for row in rows:
            for cell in row.iterchildren("td", "th"):
                self.walk(cell, bold)


def _is_hidden(element: etree._Element) -> bool:
    return element.get("hidden") is not None or bool(_HIDDEN.search(element.get("style", "")))


def _could_be_heading(text: str) -> bool:
    return (
        len(text) <= _BOLD_HEADING_CHARACTERS_MAX
        and not text.endswith((".", ",", ";"))
        and any(character.isalpha() for character in text)
    )


def _is_data(grid: list[list[str]]) -> bool:
    """Whether a table says something by its columns; many only place text on the page."""
    return max(map(len, grid), default=0) > 1 and all(len(cell) <= _CELL_CHARACTERS_MAX for row in grid for cell in row)


def _grid(rows: list[etree._Element]) -> Iterator[list[str]]:
    """The rows' texts by column; a cell that spans rows is repeated in each, so that each stands by itself."""
    spanning: dict[int, tuple[int, str]] = {}
    for row in rows:
        texts: list[str] = []
        for cell in row.iterchildren("td", "th"):
            _continue_spans(texts, spanning)
            text = " ".join(block.text for block in html_blocks(cell))
            if (height := _span(cell, "rowspan")) > 1:
                spanning[len(texts)] = (height - 1, text)
            texts += [text, *[""] * (_span(cell, "colspan") - 1)]
        _continue_spans(texts, spanning)
        yield texts


def _continue_spans(texts: list[str], spanning: dict[int, tuple[int, str]]) -> None:
    while len(texts) in spanning:
        height, text = spanning.pop(len(texts))
        if height > 1:
            spanning[len(texts)] = (height - 1, text)
        texts.append(text)


def _span(cell: etree._Element, name: str) -> int:
    value = cell.get(name, "1").strip()
    return min(max(int(value), 1), _SPAN_MAX) if value.isdecimal() else 1
