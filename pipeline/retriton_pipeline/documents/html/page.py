"""Web pages: the content without navigation and other boilerplate.

trafilatura detects the content, but omits links, headings and table cells within it. So it determines only where the
content begins and ends; all blocks in between are kept.
"""

from __future__ import annotations

from itertools import islice

import trafilatura
from lxml import etree

from retriton_pipeline.documents.html.blocks import html_blocks
from retriton_pipeline.documents.html.grid import column_span
from retriton_pipeline.documents.html.parsing import parse_html
from retriton_pipeline.documents.model import Block, Content, Scalar
from retriton_pipeline.documents.text.encoding import decode
from retriton_pipeline.documents.titles import first_heading, usable_title

_ANCHOR_CHARACTERS_MIN = 20  # shorter blocks may occur in content and in boilerplate
_COMPARED_CHARACTERS = 60
_COMPARISONS_MAX = 10**10  # blocks times characters
_DEPTH_MAX = 256
_ELEMENTS_MAX = 200_000
_CHILDREN_MAX = 4000  # of an element: the time grows with the square
_SPANNED_COLUMNS_MAX = 20_000
_ATTRIBUTES_MAX = 500
_METAS_MAX = 1000
_PROPERTIES = ("author", "date", "description", "keywords")


def read_html(raw: bytes) -> Content:
    """The blocks of the page's content, its title, and metadata from its ``meta`` elements."""
    page = decode(raw)
    tree = parse_html(page)
    if tree is None:
        return Content("", [])
    blocks = html_blocks(tree)
    if not _is_huge(tree):
        extracted = trafilatura.extract(page, include_tables=True, include_comments=False, favor_recall=True)
        blocks = _content(blocks, extracted or "")
    return Content(usable_title(tree.findtext(".//title")) or first_heading(blocks), blocks, _properties(tree))


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


def _content(blocks: list[Block], extracted: str) -> list[Block]:
    """The blocks from the first to the last that was extracted or is a table, with the headings above the first.

    All blocks if none was extracted.
    """
    content = _alphanumeric(extracted)
    if len(blocks) * len(content) > _COMPARISONS_MAX:
        return blocks
    starts = [_alphanumeric(block.text)[:_COMPARED_CHARACTERS] for block in blocks]
    anchors = [index for index, start in enumerate(starts) if len(start) >= _ANCHOR_CHARACTERS_MIN and start in content]
    if not anchors:
        return blocks
    tables = [index for index, block in enumerate(blocks) if block.header]  # `html_blocks` has skipped navigation
    first, last = min(anchors[:1] + tables[:1]), max(anchors[-1:] + tables[-1:])
    while first and (blocks[first - 1].heading_level or starts[first - 1] in content):
        first -= 1
    while last + 1 < len(blocks) and starts[last + 1] in content:
        last += 1
    return blocks[first : last + 1]


def _alphanumeric(text: str) -> str:
    """The letters and digits of ``text``, so that white space and Markdown do not affect comparisons."""
    return "".join(filter(str.isalnum, text))


def _properties(tree: etree._Element) -> dict[str, Scalar]:
    metas = {meta.get("name", "").lower(): meta.get("content", "") for meta in islice(tree.iter("meta"), _METAS_MAX)}
    return {name: metas[name] for name in _PROPERTIES if metas.get(name)}
