"""Decodes text whose encoding is not stated."""

from __future__ import annotations

import codecs

from retriton_pipeline.documents.signatures import require_text
from retriton_pipeline.documents.text.charsets import evident_encoding, stated_text
from retriton_pipeline.documents.text.latin import latin_encoding
from retriton_pipeline.errors import UnreadableDocument

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is a prefix of it
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


_NUL, _ESCAPE = "\0", "\x1b"
_NUL_SHARE_MAX = 0.02  # of a text that is not binary
_LINE_CHARACTERS_MAX = 1_000_000
_DETECTION_BYTES_MAX = 1024**2  # detection decodes them with some ninety encodings


def decode(raw: bytes) -> str:
    r"""The text of ``raw``, with ``\n`` as line separator.

    The encoding is that of the byte order mark, else UTF-8, else the stated one, else the most probable one.

    Raises:
        UnreadableDocument: the bytes are binary, or fit no encoding.
    """
    require_text(raw)
    text = _decoded(raw)
    if _NUL in text:
        raise UnreadableDocument("it is binary, not text")
    return _cleaned(text)


def _decoded(raw: bytes) -> str:
    for mark, encoding in _BOMS:
        if raw.startswith(mark):
            return raw.decode(encoding, errors="replace")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return stated_text(raw) or _detected(raw)
    if _NUL in text:  # UTF-16 without a mark is UTF-8 with many of them
        return text.replace(_NUL, "") if text.count(_NUL) <= _NUL_SHARE_MAX * len(text) else _detected(raw)
    return (stated_text(raw) or text) if _ESCAPE in text else text


def _detected(raw: bytes) -> str:
    from charset_normalizer import from_bytes

    has_nul = b"\0" in raw  # as UTF-16 has
    if encoding := "" if has_nul else evident_encoding(raw) or latin_encoding(raw):
        return raw.decode(encoding, errors="replace")
    best = from_bytes(raw[:_DETECTION_BYTES_MAX]).best()
    if best is None:
        raise UnreadableDocument("no text encoding fits its bytes: it is binary, or damaged")
    return str(best) if len(raw) <= _DETECTION_BYTES_MAX else raw.decode(best.encoding, errors="replace")


def _cleaned(text: str) -> str:
    """``text`` with uniform line separators, and mojibake (text that was once decoded wrongly) repaired."""
    from ftfy import fix_encoding
    from ftfy.badness import is_bad

    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(fix_encoding(line) if _can_be_bad(line) and is_bad(line) else line for line in lines)


def _can_be_bad(line: str) -> bool:
    """Whether ``line`` is checked: not if it is ASCII, or so long that it takes seconds and is no text."""
    return not line.isascii() and len(line) <= _LINE_CHARACTERS_MAX
