"""Strings of other formats that are HTML, such as the fields that a content management system exports.

The parser is imported when the first of them is read.
"""

from __future__ import annotations

import re
from html import escape, unescape
from typing import TYPE_CHECKING

from retriton_pipeline.documents.model import Block
from retriton_pipeline.errors import UnreadableDocument

if TYPE_CHECKING:
    from lxml import etree

_SAMPLE_CHARACTERS = 20_000
_ELEMENTS = (
    "p|div|span|ul|ol|li|dl|dt|dd|table|thead|tbody|tr|td|th|h[1-6]|a|b|i|u|s|em|strong|small|sub|sup|code|pre|kbd"
    "|blockquote|section|article|aside|header|figure|details|summary|font|del|ins|mark|html|body"
)
_START = re.compile(rf"<({_ELEMENTS})(?:\s[^<>]{{0,2000}})?>", re.IGNORECASE)
_END = re.compile(rf"</({_ELEMENTS})\s?>", re.IGNORECASE)
_BREAK = re.compile(r"<(?:br|hr) ?/?>", re.IGNORECASE)
_MARKDOWN = re.compile(r"^(?:#{1,6} |```|[-*+] |\d{1,3}\. |> )|\]\(", re.MULTILINE)
_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)  # HTML has none, but pages of wikis have
_PARAGRAPH = re.compile(r"<(?:p|pre|textarea)[\s>]", re.IGNORECASE)
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")
_REFERENCE = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|[lr][sd]quo|[mn]dash|hellip|#\d{2,6}|#x[\da-fA-F]{2,5});")


def is_html(text: str) -> bool:
    """Whether ``text`` is HTML: it has an element with its end, or a line break.

    A comparison (``a < b``) is none, nor is Markdown with HTML in it, nor a text that names elements in backticks.
    """
    if "<" not in text:
        return False
    sample = text[:_SAMPLE_CHARACTERS]
    starts, ends = set(map(str.lower, _START.findall(sample))), set(map(str.lower, _END.findall(sample)))
    if not (starts & ends or _BREAK.search(sample)) or _MARKDOWN.search(sample):
        return False
    return "`" not in sample or _START.match(sample.lstrip()) is not None


def fragment_blocks(text: str) -> list[Block]:
    """The blocks of the HTML ``text``; itself if it cannot be parsed."""
    from retriton_pipeline.documents.html.blocks import html_blocks

    try:
        tree = _tree(text)
        return html_blocks(tree) if tree is not None else []
    except (RecursionError, UnreadableDocument):  # one field does not make the others unreadable
        return [Block(text)]


def shown_text(text: str) -> str:
    """``text`` on one line as a page shows it if it is HTML; else itself, with characters in place of references."""
    if not is_html(text):
        return without_references(text)
    from retriton_pipeline.documents.html.blocks import html_line

    try:
        tree = _tree(text)
        return html_line(tree) if tree is not None else ""
    except (RecursionError, UnreadableDocument):
        return text


def _tree(text: str) -> etree._Element | None:
    from retriton_pipeline.documents.html.parsing import parse_html

    end = text.rfind("]]>") + 3
    text = _CDATA.sub(_escaped, text[:end]) + text[end:] if end > 2 else text
    if not _PARAGRAPH.search(text):
        text = _BLANK_LINES.sub("<p>", text)  # as blogs show what has none
    return parse_html(text)


def without_references(text: str) -> str:
    """``text`` with characters in place of references to them (``&amp;``), unless it names these in backticks."""
    if "&" not in text or "`" in text:
        return text
    return _REFERENCE.sub(lambda match: unescape(match[0]), text)


def _escaped(match: re.Match[str]) -> str:
    text = escape(match[1])
    return f"<pre>{text}</pre>" if "\n" in text.strip() else text
