"""Configuration files keep their lines, comments included, because these often say what a value means."""

from __future__ import annotations

import re

from retriton_pipeline.documents.model import Block, Content
from retriton_pipeline.documents.text.encoding import decode

_HEADINGS = {
    "yaml": re.compile(
        r"""^["']?([\w./][\w./ -]{0,200})["']?:[ \t]*(?:[#|>&!][^\n]*)?\n(?=[ \t]+\S|-)""", re.MULTILINE
    ),
    "sections": re.compile(r"^\[+([^\]\n]{1,200})\]+[ \t]*(?:[#;][^\n]*)?$", re.MULTILINE),
}
_ESCAPED = re.compile(r"(?<!\\)\\u([\da-fA-F]{4})")


def read_configuration(raw: bytes, syntax: str) -> Content:
    """A section for each top-level key that holds others (``yaml``), or for each name in brackets (``sections``)."""
    text = decode(raw)
    blocks: list[Block] = []
    start = 0
    for match in _HEADINGS[syntax].finditer(text):
        blocks += _lines(text[start : match.start()])
        blocks.append(Block(match[1].strip(), heading_level=1))
        start = match.start()
    return Content("", [*blocks, *_lines(text[start:])])


def read_properties(raw: bytes) -> Content:
    """The lines of names and values, with characters in place of their escaped codes, as Java shows them."""
    text = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), decode(raw))
    return Content("", _lines(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")))


def _lines(text: str) -> list[Block]:
    stripped = text.strip("\n")
    return [Block(stripped, verbatim=True)] if stripped.strip(" -\n\t") else []
