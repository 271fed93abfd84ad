"""Markdown: top-level blocks keep their source text, headings give the structure."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.token import Token

from retriton_pipeline.documents.model import Block
from retriton_pipeline.documents.plain_text import decode

_VERBATIM = {"fence", "code_block", "table_open", "html_block"}


def read_markdown(raw: bytes) -> tuple[str, list[Block]]:
    """Title (the first heading of the highest level) and blocks."""
    blocks = parse_markdown(decode(raw))
    headings = [block for block in blocks if block.heading_level]
    title = min(headings, key=lambda block: block.heading_level).text if headings else ""
    return title, blocks


def parse_markdown(text: str) -> list[Block]:
    """The blocks of Markdown ``text``."""
    lines = text.split("\n")  # as the parser counts them
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    blocks = [_block(tokens, index, lines) for index, token in enumerate(tokens) if _starts_block(token)]
    return [block for block in blocks if block.text]


def _starts_block(token: Token) -> bool:
    return token.level == 0 and token.nesting >= 0 and token.map is not None and token.type != "hr"


def _block(tokens: list[Token], index: int, lines: list[str]) -> Block:
    token = tokens[index]
    if token.type == "heading_open":
        return Block(tokens[index + 1].content.strip(), heading_level=int(token.tag[1:]))
    first, last = token.map or (0, 0)
    return Block("\n".join(lines[first:last]).strip("\n").rstrip(), verbatim=token.type in _VERBATIM)
