"""Plain text: the encoding is found out, blank lines separate paragraphs."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes
from ftfy import fix_encoding
from ftfy.badness import is_bad

from retriton_pipeline.documents.model import Block, Content
from retriton_pipeline.documents.signatures import refuse_binary
from retriton_pipeline.errors import UnreadableDocument

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")


def decode(raw: bytes) -> str:
    """The text behind ``raw``: by its byte order mark, as UTF-8, or in the encoding that its bytes suggest.

    Raises:
        UnreadableDocument: it is binary, or no encoding fits.
    """
    refuse_binary(raw)
    for mark, encoding in _BOMS:
        if raw.startswith(mark):
            return _clean(raw.decode(encoding, errors="replace"))
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = _guess(raw)
    if "\0" in text:
        text = _guess(raw)  # UTF-16 without a mark is valid UTF-8, full of NUL
    if "\0" in text:
        raise UnreadableDocument("it is binary, not text")
    return _clean(text)


def read_text(raw: bytes) -> Content:
    """Paragraphs, without a title."""
    return Content("", paragraphs(decode(raw)))


def paragraphs(text: str) -> list[Block]:
    """What blank lines separate."""
    return [Block(part.strip()) for part in _BLANK_LINES.split(text) if part.strip()]


def _guess(raw: bytes) -> str:
    best = from_bytes(raw).best()
    if best is None:
        raise UnreadableDocument("no text encoding fits its bytes: it is binary, or damaged")
    return str(best)


def _clean(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(fix_encoding(line) if is_bad(line) else line for line in lines)  # decoded wrongly by its author
