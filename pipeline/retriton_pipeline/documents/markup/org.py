"""Org: headlines are headings; drawers and comments are skipped."""

from __future__ import annotations

import re
from collections.abc import Iterator

import orgparse

from retriton_pipeline.documents.model import Block, Content, Scalar
from retriton_pipeline.documents.tables import table_block
from retriton_pipeline.documents.text.encoding import decode
from retriton_pipeline.documents.text.plain_text import paragraphs
from retriton_pipeline.documents.titles import first_heading

_KEYWORD = re.compile(r"^[ \t]*#\+(\w+):[ \t]*(.*)$", re.MULTILINE)
_DRAWER = re.compile(r"^[ \t]*:(?:PROPERTIES|LOGBOOK):\n(?:[ \t]*[:\-C][^\n]*\n){0,1000}?[ \t]*:END:$", re.MULTILINE)
_BLOCK = re.compile(r"^[ \t]*#\+begin_(\w+)[^\n]*\n(.*?)^[ \t]*#\+end_\1[^\n]*$", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_TABLE = re.compile(r"(?:^[ \t]*\|[^\n]*(?:\n|\Z))+", re.MULTILINE)
_RULE = re.compile(r"\s*\|[-+|]+\s*")
_COMMENT = re.compile(r"^[ \t]*#(?:[ \t][^\n]*)?$", re.MULTILINE)
_LINK = re.compile(r"\[\[([^\[\]]*)\](?:\[([^\[\]]*)\])?\]")
_LEVEL_MAX = 6
_METADATA = ("author", "date", "description", "keywords")


def read_org(raw: bytes) -> Content:
    """Blocks, and the keywords for author, date and description as metadata; the title is the one that is stated."""
    text = decode(raw)
    root = orgparse.loads(text)
    blocks = [block for node in root for block in _node_blocks(node)]
    keywords = {name.lower(): value.strip() for name, value in _KEYWORD.findall(text)}
    metadata: dict[str, Scalar] = {name: keywords[name] for name in _METADATA if keywords.get(name)}
    return Content(keywords.get("title") or first_heading(blocks), blocks, metadata)


def _node_blocks(node: orgparse.OrgBaseNode) -> Iterator[Block]:
    if isinstance(node, orgparse.OrgNode):
        state = f"{node.todo} " if node.todo else ""
        yield Block(state + _links(node.get_heading(format="raw")), heading_level=min(node.level, _LEVEL_MAX))
    text = _DRAWER.sub("", node.get_body(format="raw"))
    start = 0
    for block in _BLOCK.finditer(text):
        yield from _text_blocks(text[start : block.start()])
        if block[1].lower() in ("src", "example", "verse", "export"):
            yield Block(block[2].strip("\n"), verbatim=True)
        elif block[1].lower() != "comment":
            yield from _text_blocks(block[2])
        start = block.end()
    yield from _text_blocks(text[start:])


def _text_blocks(text: str) -> Iterator[Block]:
    text = _links(_COMMENT.sub("", _KEYWORD.sub("", text)))
    start = 0
    for found in _TABLE.finditer(text):
        yield from paragraphs(text[start : found.start()])
        lines = [line for line in found[0].strip().split("\n") if not _RULE.fullmatch(line)]
        rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
        yield from filter(None, [table_block(rows, plain=True)])
        start = found.end()
    yield from paragraphs(text[start:])


def _links(text: str) -> str:
    return _LINK.sub(lambda match: match[2] or match[1], text)
