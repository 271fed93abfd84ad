"""Plain text, in which blank lines separate paragraphs, and logs."""

from __future__ import annotations

import re
from textwrap import dedent

from retriton_pipeline.documents.joining import unwrapped
from retriton_pipeline.documents.model import Block, Content
from retriton_pipeline.documents.text.encoding import decode
from retriton_pipeline.documents.text.terminal import displayed_output

_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+|\f")  # or the end of a page


def read_text(raw: bytes) -> Content:
    """Paragraphs, without a title."""
    return Content("", paragraphs(displayed_output(decode(raw))))


def read_log(raw: bytes) -> Content:
    """Lines, each of which is a whole."""
    return Content("", [Block(displayed_output(decode(raw)).strip("\n"), verbatim=True)])


def paragraphs(text: str) -> list[Block]:
    """The paragraphs of ``text``, which blank lines separate. Their lines keep their places below each other."""
    return [Block(unwrapped(dedent(part).strip())) for part in _BLANK_LINES.split(text) if part.strip()]
