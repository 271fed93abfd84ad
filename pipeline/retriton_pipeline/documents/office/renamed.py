"""Files with the suffix of an older Office format and another content, as web applications export them.

Word and Excel open them, so that their writers do not notice.
"""

from __future__ import annotations

import re

from retriton_pipeline.documents.model import Content
from retriton_pipeline.documents.reader import LazyReader
from retriton_pipeline.documents.signatures import detected_format

_SAMPLE_BYTES = 4096
_MAIL = re.compile(rb"(?:[\w-]+:[^\n]*\n(?:[ \t][^\n]*\n)*){0,50}?MIME-Version:", re.IGNORECASE)
_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml\b")
_FIELDS = re.compile(rb"[^\x00-\x08\n]*\t[^\x00-\x08\n]*\r?\n")
_READERS = {
    "RTF": "office.rtf:read_rtf",
    "HTML": "html.page:read_html",
    "mail": "text.mail:read_mail",
    "XML": "markup.xml:read_xml",
    "fields": "records.delimited:read_tsv",
}


def read_renamed(raw: bytes, newer: str) -> Content | None:
    """The content of a file that is RTF, HTML, saved by a browser, XML, a table in plain text, or of a newer format.

    Args:
        raw: the file.
        newer: the function that reads the newer format, as for `LazyReader`.

    Raises:
        UnreadableDocument: it cannot be read.
    """
    kind = _kind(raw[:_SAMPLE_BYTES])
    function = newer if raw.startswith(b"PK\x03\x04") else _READERS.get(kind, "")
    return LazyReader(function, ()).read(raw) if function else None


def _kind(head: bytes) -> str:
    kind = detected_format(head)
    if kind or head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<table", b"<meta", b"<style", b"<div")):
        return kind or "HTML"
    names = {"mail": _MAIL, "XML": _XML, "fields": _FIELDS}
    return next((name for name, pattern in names.items() if pattern.match(head)), "")
