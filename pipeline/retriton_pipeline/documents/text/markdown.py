"""Markdown: top-level blocks keep their source text; headings give the structure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from markdown_it import MarkdownIt
from markdown_it.token import Token

from retriton_pipeline.documents.model import Block, Content, Scalar
from retriton_pipeline.documents.text.encoding import decode
from retriton_pipeline.documents.titles import first_heading

_VERBATIM = {"fence", "code_block", "table_open", "html_block"}
_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_FIELD = re.compile(r"""(\w+): *["']?([^\s"'\[{|>].*)""")  # scalar values only
_FIELDS_MAX = 256
_DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,[\w+/=]+")  # embedded images


def read_markdown(raw: bytes) -> Content:
    """Blocks, and the scalar fields of the front matter as metadata.

    The title is that of the front matter, or the first heading of the highest level.
    """
    text = _DATA_URL.sub("", decode(raw))
    front_matter = _FRONT_MATTER.match(text)
    blocks = parse_markdown(text[front_matter.end() :] if front_matter else text)
    metadata: dict[str, Scalar] = dict(_fields(front_matter[1])) if front_matter else {}
    return Content(str(metadata.pop("title", "")) or first_heading(blocks), blocks, metadata)


def _fields(front_matter: str) -> Iterator[tuple[str, str]]:
    """The names and values of the lines that are a scalar field."""
    for match in islice(filter(None, map(_FIELD.match, front_matter.split("\n"))), _FIELDS_MAX):
        value = match[2].rstrip(" ")
        yield match[1], value[:-1] if value[1:] and value.endswith(("'", '"')) else value


def parse_markdown(text: str) -> list[Block]:
    """The blocks of Markdown ``text``."""
    lines = text.split("\n")  # the parser's definition of a line
    tokens = MarkdownIt("commonmark").enable("table").disable(["inline", "text_join"]).parse(text)  # blocks suffice
    blocks = [_block(tokens, index, lines) for index, token in enumerate(tokens) if _starts_block(token)]
    return [block for block in blocks if block.text]


def _starts_block(token: Token) -> bool:
    return token.level == 0 and token.nesting >= 0 and token.map is not None and token.type != "hr"


def _block(tokens: list[Token], index: int, lines: list[str]) -> Block:
    token = tokens[index]
    if token.type == "heading_open":
        return Block(tokens[index + 1].content.strip(), heading_level=int(token.tag[1:]))
    first, last = token.map or (0, 0)
    text = "\n".join(lines[first:last]).strip("\n").rstrip()
    header = "\n".join(lines[first : first + 2]) if token.type == "table_open" else ""
    return Block(text, verbatim=token.type in _VERBATIM, header=header)
