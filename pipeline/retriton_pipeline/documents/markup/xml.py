"""XML of any kind: the texts of its elements, labelled by their names where these are the names of fields."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from retriton_pipeline.documents.html.fragments import fragment_blocks, is_html, without_references
from retriton_pipeline.documents.html.page import read_html
from retriton_pipeline.documents.markup.property_lists import property_list_blocks
from retriton_pipeline.documents.markup.xml_attributes import PARAGRAPHS, attribute_lines, field_name, field_unit
from retriton_pipeline.documents.markup.xml_lists import XmlMarkers
from retriton_pipeline.documents.markup.xml_tables import CELLS, is_row, xml_table
from retriton_pipeline.documents.model import Block, Content
from retriton_pipeline.documents.office.archive import local_name, parse_xml, require_tags, tags_max
from retriton_pipeline.documents.signatures import require_text
from retriton_pipeline.documents.titles import first_heading

_TITLES = {"title", "head", "heading", "subject", "article-title", "label"}
_UNLABELLED = {
    "p", "para", "simpara", "paragraph", "text", "content", "body", "li", "item", "listitem", "entry", "td", "th",
    "value", "abstract", "note", "summary", "description", "programlisting", "screen", "codeblock", "s", "l", "seg",
}  # fmt: skip
_SKIPPED = {"script", "style", "binary", "base64"}
_VERBATIM = {"programlisting", "screen", "literallayout", "codeblock", "pre", "code"}
_INLINE = {
    "b", "i", "u", "em", "strong", "emph", "emphasis", "italic", "bold", "hi", "sub", "sup", "a", "link", "xref",
    "ulink", "ref", "code", "literal", "span", "br", "lb",
    "tt", "term", "ext-link", "quote", "q", "filename", "command", "fn",
    "footnote", "ph", "keyword", "foreign",
}  # fmt: skip
_RAISED = {"sup", "superscript"}
_LAYOUT = {"col", "colspec", "spanspec", "graphic", "imagedata", "img", "image", "media", "anchor", "include"}
_ROWS, _ROW_GROUPS = {"row", "tr"}, {"thead", "tbody", "tfoot", "tgroup"}
_LEVEL_MAX = 6
_LABELLED_CHARACTERS_MAX = 2_000
_BORDER = "\ue000"  # of an element within a text; a character for private use
_BORDERS, _BETWEEN_WORDS = re.compile(f"{_BORDER}+"), re.compile(rf"(?<=[\w.,;:!?)]){_BORDER}+(?=[\w(])")
_PARTS = {"r", "pPr", "proofErr", "bookmarkStart", "bookmarkEnd", "hyperlink", "hlink", "annotation"}
_DIVISIONS = {"article", "book", "part", "chapter", "section", "sec", "div", "appendix", "topic", "body", "group"}
_XHTML = "{http://www.w3.org/1999/xhtml}html"


def read_xml(raw: bytes) -> Content:
    """Texts in reading order: titles are headings, other elements without elements of their own are ``name: text``.

    Attributes count if they look like text (see `attribute_lines`). Comments and processing instructions are skipped.

    Raises:
        UnreadableDocument: it is not well-formed, or has too many elements.
    """
    require_text(raw)
    require_tags(raw, tags_max(raw))
    root = parse_xml(raw)
    if root.tag == _XHTML:
        return read_html(raw)
    if root.tag == "plist":
        return Content("", property_list_blocks(root))
    blocks = list(_blocks(root, 1))
    return Content(first_heading(blocks), blocks)


def _blocks(root: etree._Element, level: int) -> Iterator[Block]:
    """The blocks below ``root``; consecutive fields of an element are one block, and consecutive rows a table."""
    fields: list[str] = []
    rows: list[etree._Element] = []
    stack: list[tuple[etree._Element, int]] = [(root, level)]
    markers = XmlMarkers()
    parent = root.getparent()
    while stack:
        element, level = stack.pop()
        name = local_name(element.tag).lower()
        if not isinstance(element.tag, str) or name in _SKIPPED:
            continue
        if name in _ROWS and is_row(element):
            rows.append(element)
            continue
        if rows and name not in _ROW_GROUPS:
            yield from _table(rows)
        is_leaf = _is_text(element) or _has_runs(element, name)
        if element.getparent() is not parent or not is_leaf or name in _TITLES or name in _UNLABELLED:
            yield from _fields(fields)
        parent = element.getparent() if is_leaf else element
        fields += _attributes(element, is_leaf)
        if is_leaf:
            yield from _leaf(element, name, level, fields, markers)
        else:
            has_title = any(local_name(child.tag).lower() in _TITLES for child in element)
            stack += [
                (child, level + has_title) if not _is_title(child) else (child, level) for child in reversed(element)
            ]
    yield from _table(rows)
    yield from _fields(fields)


def _leaf(element: etree._Element, name: str, level: int, fields: list[str], markers: XmlMarkers) -> Iterator[Block]:
    """The blocks of an element without others; if it is a field, it is added to ``fields``."""
    text, named = without_references(_words(element)), field_name(element)
    if name in _TITLES and text.strip():
        yield Block(" ".join(text.split()), heading_level=min(level, _LEVEL_MAX))
    elif is_html(text):
        yield from fragment_blocks(text)
    elif name in _VERBATIM:
        yield Block(text.strip("\n"), verbatim=True)
    elif not named and (name in _UNLABELLED or len(text) > _LABELLED_CHARACTERS_MAX):
        line = " ".join(text.split())
        yield Block(f"{markers.of(element)}{line}" if line else "")
    elif text.strip():
        fields.append(f"{named or local_name(element.tag)}: {' '.join(text.split())}{field_unit(element)}")


def _words(element: etree._Element) -> str:
    """The text of ``element``, with spaces between words that are in different elements, unless these mark words."""
    parts: list[str] = []
    has_runs = _has_runs(element, local_name(element.tag).lower())
    for event, node in etree.iterwalk(element, events=("start", "end", "comment", "pi")):
        is_inline = (
            has_runs or node is element or not isinstance(node.tag, str) or local_name(node.tag).lower() in _INLINE
        )
        space = "" if is_inline else _BORDER
        if event == "start":
            parts += [_border(node, parts) if is_inline else space, node.text or ""]
        elif node is not element:
            parts += [space, node.tail or ""]
    return _BORDERS.sub("", _BETWEEN_WORDS.sub(" ", "".join(parts)))


def _border(node: etree._Element, parts: list[str]) -> str:
    """What stands before the text of an element within a line: a space for a line break, a sign for an exponent."""
    name = local_name(node.tag).lower() if isinstance(node.tag, str) else ""
    is_power = name in _RAISED and "".join(parts[-3:])[-1:].isdecimal() and (node.text or "").strip()[:1].isalnum()
    return "^" if is_power else " " * (name == "br")


def _table(rows: list[etree._Element]) -> Iterator[Block]:
    """The table of ``rows``, which are cleared."""
    if rows:
        yield from xml_table(rows)
    rows.clear()


def _is_title(element: etree._Element) -> bool:
    return local_name(element.tag).lower() in _TITLES


def _is_text(element: etree._Element) -> bool:
    """Whether an element is a text, perhaps with marked words, as opposed to a group of other elements."""
    children = [child for child in element if isinstance(child.tag, str)]
    if not children:
        return True
    has_words = bool((element.text or "").strip()) or any((child.tail or "").strip() for child in element)
    return has_words or all(local_name(child.tag).lower() in _INLINE and not len(child) for child in children)


def _has_runs(element: etree._Element, name: str) -> bool:
    """Whether an element is a paragraph of runs, as word processors write them."""
    return name == "p" and {"r"} <= {local_name(child.tag) for child in element} <= _PARTS


def _attributes(element: etree._Element, is_leaf: bool) -> Iterator[str]:
    """The attributes of ``element`` that are text."""
    name = local_name(element.tag).lower()
    is_empty = not len(element) and not (element.text or "").strip()
    is_alone = is_empty and len(element.attrib) > 1 and name not in _LAYOUT | _INLINE
    return attribute_lines(element, is_alone, not is_leaf and _is_record(element, name))


def _is_record(element: etree._Element, name: str) -> bool:
    """Whether a group of elements consists of fields, as opposed to paragraphs."""
    children = [child for child in element if isinstance(child.tag, str)]
    names = {local_name(child.tag).lower() for child in children}
    has_fields = any(_is_text(child) for child in children)
    return has_fields and name not in _DIVISIONS and not names & (PARAGRAPHS | CELLS | _ROWS)


def _fields(fields: list[str]) -> list[Block]:
    """The block of ``fields``, which are cleared."""
    text = "\n".join(fields)
    fields.clear()
    return [Block(text)] if text else []
