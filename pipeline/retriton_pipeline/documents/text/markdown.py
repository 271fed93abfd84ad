"""Markdown: top-level blocks keep their source text; headings give the structure."""

from __future__ import annotations

import re
from dataclasses import replace

from markdown_it import MarkdownIt
from markdown_it.token import Token

from retriton_pipeline.documents.html.blocks import html_blocks
from retriton_pipeline.documents.html.parsing import parse_html
from retriton_pipeline.documents.joining import unwrapped
from retriton_pipeline.documents.model import Block, Content
from retriton_pipeline.documents.text.encoding import decode
from retriton_pipeline.documents.text.front_matter import front_matter
from retriton_pipeline.documents.text.markdown_comments import without_comments, without_mdx_comments
from retriton_pipeline.documents.text.markdown_inline import shown_heading, shown_lines
from retriton_pipeline.documents.text.mdx import without_components
from retriton_pipeline.documents.titles import first_heading

_CODE = {"fence", "code_block"}
_VERBATIM = {*_CODE, "table_open", "html_block"}
_FOOTNOTE = re.compile(r"^ {0,3}\[\^[^\]\n]{1,100}\]:", re.MULTILINE)
_DEFINITION = re.compile(  # of a link, which the parser removes where notes do not look like one
    r"""[ ]{0,3}\[(?!\^)[^\[\]]{1,200}\]:[ \t]+<?[^\s<>]{1,2000}>?(?:[ \t]+(?:"[^"]*"|'[^']*'|\([^()]*\)))?[ \t]*"""
)
_PLAIN_HTML = re.compile(r"\s*</?[a-z][a-z0-9]*(?=[\s/>])")  # as opposed to the start of a document type or of code
_COMPONENT = re.compile(r"</?[A-Z]|[{}]")  # of MDX
_METADATA_CHARACTERS_MAX = 256  # longer values are also text
_MODULE_CODE = re.compile(
    r"""import\s+(?:[\w$*{][^"']{0,2000}\sfrom\s+)?["']"""
    r"|export\s+(?:const\s|let\s|var\s|default\s|async\s|function\b|class\s|[*{])[^.\n]{0,200}?[=({\"']"
)
_HYPHENATION = re.compile(r"&(?:shy|#173|#xad|#8203|#x200b|ZeroWidthSpace);|<wbr ?/?>", re.IGNORECASE)
_DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,[\w+/=]+")  # embedded images


def read_markdown(raw: bytes) -> Content:
    """Blocks, and the fields of the front matter as metadata. Comments are skipped.

    The title is that of the front matter, or the first heading of the highest level.
    """
    return _content(decode(raw))


def read_mdx(raw: bytes) -> Content:
    """As `read_markdown`, without the comments, imports and exports of MDX, and without the tags of components."""
    content = _content(without_components(without_mdx_comments(decode(raw))), has_indented_code=False)
    return replace(content, blocks=[block for block in content.blocks if not _is_module_code(block)])


def _content(text: str, has_indented_code: bool = True) -> Content:
    text = without_data(text)
    fields, end = front_matter(text)
    title = fields.pop("title", "")
    long = [Block(f"{name}: {value}") for name, value in fields.items() if len(value) > _METADATA_CHARACTERS_MAX]
    blocks = long + parse_markdown(text[end:], has_indented_code)
    return Content(title or first_heading(blocks), blocks, dict(fields))


def _is_module_code(block: Block) -> bool:
    return not block.verbatim and not block.heading_level and _MODULE_CODE.match(block.text) is not None


def without_data(text: str) -> str:
    """``text`` without the content of embedded images."""
    return _DATA_URL.sub("", text)


def parse_markdown(text: str, has_indented_code: bool = True) -> list[Block]:
    """The blocks of Markdown ``text``.

    Args:
        text: the source.
        has_indented_code: whether indented lines are code; MDX has none.
    """
    lines = text.split("\n")  # the parser's definition of a line
    parser = MarkdownIt("commonmark").enable("table").disable(["inline", "text_join"])  # blocks suffice
    if not has_indented_code:
        parser.disable("code")
    if _FOOTNOTE.search(text):
        parser.disable("reference")  # to which notes of one word look like links
    tokens = parser.parse(text)
    blocks = [
        block for index, token in enumerate(tokens) if _starts_block(token) for block in _blocks(tokens, index, lines)
    ]
    return [block for block in blocks if block.text.strip()]


def _starts_block(token: Token) -> bool:
    return token.level == 0 and token.nesting >= 0 and token.map is not None and token.type != "hr"


def _blocks(tokens: list[Token], index: int, lines: list[str]) -> list[Block]:
    token = tokens[index]
    if token.type == "heading_open":
        return [Block(shown_heading(_visible(tokens[index + 1].content)), heading_level=int(token.tag[1:]))]
    first, last = token.map or (0, 0)
    text = "\n".join(lines[first:last])
    text = (text if token.type in _CODE else _visible(text)).strip("\n").rstrip()
    if token.type == "html_block" and _PLAIN_HTML.match(text) and not _COMPONENT.search(text):
        tree = parse_html(text)
        return html_blocks(tree) if tree is not None else []
    if token.type == "paragraph_open":
        text = "" if all(map(_DEFINITION.fullmatch, text.split("\n"))) else unwrapped(shown_lines(text, "\n").strip())
    elif token.type not in _CODE:
        text = shown_lines(text).rstrip()
    header = "\n".join(text.split("\n", 2)[:2]) if token.type == "table_open" else ""
    return [Block(text, verbatim=token.type in _VERBATIM, header=header)]


def _visible(text: str) -> str:
    """``text`` without comments, and without the places where words may be divided."""
    return _HYPHENATION.sub("", without_comments(text))
