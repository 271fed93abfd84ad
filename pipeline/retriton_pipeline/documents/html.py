"""HTML: the content without navigation and other boilerplate.

trafilatura knows what is content, but drops links, headings and cells inside of it. So it only says where the
content begins and ends; what stands between is read whole.
"""

from __future__ import annotations

import trafilatura
from lxml import etree

from retriton_pipeline.documents.html_blocks import html_blocks, parse_html
from retriton_pipeline.documents.model import Block, Content, Scalar
from retriton_pipeline.documents.plain_text import decode
from retriton_pipeline.documents.titles import first_heading, usable_title

_TELLING_CHARACTERS = 20  # a block with fewer could stand anywhere
_COMPARED_CHARACTERS = 60
_PROPERTIES = ("author", "date", "description", "keywords")


def read_html(raw: bytes) -> Content:
    """Blocks, and the title of the page."""
    return read_page(decode(raw))


def read_page(page: str) -> Content:
    """As `read_html`, of decoded text."""
    tree = parse_html(page)
    if tree is None:
        return Content("", [])
    extracted = trafilatura.extract(page, include_tables=True, include_comments=False, favor_recall=True)
    blocks = _between(html_blocks(tree), extracted or "")
    return Content(usable_title(tree.findtext(".//title")) or first_heading(blocks), blocks, _properties(tree))


def _between(blocks: list[Block], extracted: str) -> list[Block]:
    """From the first to the last block that was extracted or is a table, with headings in front; all, if none was."""
    content = _squeezed(extracted)
    starts = [_squeezed(block.text)[:_COMPARED_CHARACTERS] for block in blocks]
    known = [index for index, start in enumerate(starts) if len(start) >= _TELLING_CHARACTERS and start in content]
    if not known:
        return blocks
    tables = [index for index, block in enumerate(blocks) if block.header]  # outside navigation, a table is content
    first, last = min(known[:1] + tables[:1]), max(known[-1:] + tables[-1:])
    while first and (blocks[first - 1].heading_level or starts[first - 1] in content):
        first -= 1
    while last + 1 < len(blocks) and starts[last + 1] in content:
        last += 1
    return blocks[first : last + 1]


def _squeezed(text: str) -> str:
    """Letters and digits alone: white space and Markdown do not count."""
    return "".join(filter(str.isalnum, text))


def _properties(tree: etree._Element) -> dict[str, Scalar]:
    metas = {meta.get("name", "").lower(): meta.get("content", "") for meta in tree.iter("meta")}
    return {name: metas[name] for name in _PROPERTIES if metas.get(name)}
