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
_BEGIN = re.compile(r"^[ \t]*#\+begin_(\w{1,32})[^\n]*\n", re.MULTILINE | re.IGNORECASE)
_TABLE = re.compile(r"(?:^[ \t]*\|[^\n]*(?:\n|\Z))+", re.MULTILINE)
_RULE = re.compile(r"\s*\|[-+|]+\s*")
_COMMENT = re.compile(r"^[ \t]*#(?:[ \t][^\n]*)?$", re.MULTILINE)
_FIXED = re.compile(r"^[ \t]*:(?:[ ]|$)", re.MULTILINE)  # of lines that stay as they are, such as results
_LINK = re.compile(r"\[\[([^\[\]]*)\](?:\[([^\[\]]*)\])?\]")
_VERBATIM = ("src", "example", "verse", "export")
_COMMENTED = re.compile(r"COMMENT(?:\s|$)")
_LEVEL_MAX = 6
_SPACES_MAX = 100  # between words; the time of the parser grows with their square
_SPACES = re.compile(rf"[ \t]{{{_SPACES_MAX},}}")
_METADATA = ("author", "date", "description", "keywords")


def read_org(raw: bytes) -> Content:
    """Blocks, and the keywords for author, date and description as metadata; the title is the one that is stated."""
    text = decode(raw)
    root = orgparse.loads(_SPACES.sub(" " * _SPACES_MAX, text))
    blocks = [block for node in _exported(root) for block in _node_blocks(node)]
    keywords = {name.lower(): value.strip() for name, value in _KEYWORD.findall(text)}
    metadata: dict[str, Scalar] = {name: keywords[name] for name in _METADATA if keywords.get(name)}
    return Content(keywords.get("title") or first_heading(blocks), blocks, metadata)


def _exported(root: orgparse.OrgBaseNode) -> Iterator[orgparse.OrgBaseNode]:
    """The nodes in order, without those that are comments and all below them."""
    level = 0  # of a comment, within which the next nodes are
    for node in root:
        is_within = level and node.level > level
        level = level if is_within else node.level if _COMMENTED.match(_heading(node)) else 0
        if not level:
            yield node


def _heading(node: orgparse.OrgBaseNode) -> str:
    return str(node.get_heading(format="raw")) if isinstance(node, orgparse.OrgNode) else ""


def _node_blocks(node: orgparse.OrgBaseNode) -> Iterator[Block]:
    if isinstance(node, orgparse.OrgNode):
        state = f"{node.todo} " if node.todo else ""
        yield Block(state + _links(node.get_heading(format="raw")), heading_level=min(node.level, _LEVEL_MAX))
    yield from _body_blocks(_DRAWER.sub("", node.get_body(format="raw")))


def _body_blocks(text: str) -> Iterator[Block]:
    """The blocks of code, examples and quotations in ``text``, and those of the text between them."""
    start = 0
    unending: set[str] = set()
    for begin in _BEGIN.finditer(text):
        kind = begin[1].lower()
        if begin.start() < start or kind in unending:
            continue
        end = re.compile(rf"^[ \t]*#\+end_{kind}[^\n]*$", re.MULTILINE | re.IGNORECASE).search(text, begin.end())
        if end is None:
            unending.add(kind)
            continue
        yield from _text_blocks(text[start : begin.start()])
        content = text[begin.end() : end.start()]
        if kind in _VERBATIM:
            yield Block(content.strip("\n"), verbatim=True)
        elif kind != "comment":
            yield from _text_blocks(content)
        start = end.end()
    yield from _text_blocks(text[start:])


def _text_blocks(text: str) -> Iterator[Block]:
    text = _links(_FIXED.sub("", _COMMENT.sub("", _KEYWORD.sub(_caption, text))))
    start = 0
    for found in _TABLE.finditer(text):
        yield from paragraphs(text[start : found.start()])
        lines = [line for line in found[0].strip().split("\n") if not _RULE.fullmatch(line)]
        rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
        yield from filter(None, [table_block(rows, plain=True)])
        start = found.end()
    yield from paragraphs(text[start:])


def _caption(keyword: re.Match[str]) -> str:
    return f"\n{keyword[2]}\n" if keyword[1].lower() == "caption" else ""


def _links(text: str) -> str:
    return _LINK.sub(lambda match: match[2] or match[1], text)
