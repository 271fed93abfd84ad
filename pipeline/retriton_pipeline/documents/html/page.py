"""Web pages: their content without navigation and other boilerplate.

trafilatura detects the content, but omits links, headings and table cells within it. So it only determines what is
certainly content.
"""

from __future__ import annotations

import re
from itertools import islice

import trafilatura
from lxml import etree

from retriton_pipeline.documents.completeness import characters
from retriton_pipeline.documents.html.blocks import located_blocks
from retriton_pipeline.documents.html.boilerplate import content_blocks
from retriton_pipeline.documents.html.grid import column_span
from retriton_pipeline.documents.html.parsing import parse_html
from retriton_pipeline.documents.model import Block, Content, Scalar
from retriton_pipeline.documents.text.encoding import decode
from retriton_pipeline.documents.titles import first_heading, usable_title
from retriton_pipeline.errors import UnreadableDocument

_DEPTH_MAX = 256
_ELEMENTS_MAX = 200_000
_CHILDREN_MAX = 4000  # of an element: the time grows with the square
_SPANNED_COLUMNS_MAX = 20_000
_ATTRIBUTES_MAX = 500
_METAS_MAX = 1000
_PLACEHOLDER = re.compile(
    r"(?:loading|please wait|bitte warten|wird geladen|chargement|cargando)\b.{0,20}", re.IGNORECASE
)
_PLACEHOLDER_BLOCKS_MAX = 2
_PROPERTIES = ("author", "date", "description", "keywords")


def read_html(raw: bytes) -> Content:
    """The blocks of the page's content, its title, and metadata from its ``meta`` elements.

    Raises:
        UnreadableDocument: a script makes the text when a browser shows the page, or it consists of frames.
    """
    page = decode(raw)
    tree = parse_html(page)
    if tree is None:
        return Content("", [])
    located = located_blocks(tree)
    _require_text(tree, [block for block, origin in located if origin.boilerplate is None])
    extracted = None
    if not _is_huge(tree):
        extracted = trafilatura.extract(page, include_tables=True, include_comments=False, favor_recall=True)
    blocks = content_blocks(located, extracted or "")
    title = usable_title(_title(tree)) or first_heading(blocks)
    shown = sum(characters(block.text) for block, origin in located if origin.boilerplate is None)
    return Content(title, blocks, _properties(tree), visible_characters=shown)


def _title(tree: etree._Element) -> str | None:
    """The title of the page, as opposed to those of drawings in it."""
    titles = (title for title in tree.iter("title") if next(title.iterancestors("svg"), None) is None)
    return next((title.text for title in titles), None)


def _require_text(tree: etree._Element, blocks: list[Block]) -> None:
    """Checks that the page is not one that consists of frames, or of a script and at most a word about loading."""
    text = " ".join(block.text for block in islice(blocks, _PLACEHOLDER_BLOCKS_MAX + 1))
    is_empty = not text or (len(blocks) <= _PLACEHOLDER_BLOCKS_MAX and _PLACEHOLDER.fullmatch(text[:100]) is not None)
    if not text and next(tree.iter("frame"), None) is not None:
        raise UnreadableDocument("it only arranges other pages in frames: add the files of these")
    if is_empty and next(tree.iter("script"), None) is not None:
        raise UnreadableDocument("it has no text, only a script that makes it: save the page as a browser shows it")


def _is_huge(tree: etree._Element) -> bool:
    """Whether the tree is deeper or larger than those of ordinary pages: trafilatura would need too long."""
    depth = columns = 0
    for number, (event, element) in enumerate(etree.iterwalk(tree, events=("start", "end"))):
        depth += 1 if event == "start" else -1
        if event == "start" and element.get("colspan"):
            columns += column_span(element)
        if event == "start" and (len(element.attrib) > _ATTRIBUTES_MAX or len(element) > _CHILDREN_MAX):
            return True
        if depth > _DEPTH_MAX or number > 2 * _ELEMENTS_MAX or columns > _SPANNED_COLUMNS_MAX:
            return True
    return False


def _properties(tree: etree._Element) -> dict[str, Scalar]:
    metas = {meta.get("name", "").lower(): meta.get("content", "") for meta in islice(tree.iter("meta"), _METAS_MAX)}
    return {name: metas[name] for name in _PROPERTIES if metas.get(name)}
