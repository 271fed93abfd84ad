"""What a file is by its first bytes, whatever its name says."""

from __future__ import annotations

from retriton_pipeline.errors import UnreadableDocument

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_KINDS = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive or a newer Office file"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (_OLE, "an older Office file (.doc, .xls, .ppt)"),
    (b"{\\rtf", "RTF"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x7fELF", "a program"),
)
_HTML = (b"<!doctype html", b"<html", b"<head", b"<body")
_PDF_HEADER_BYTES = 1024  # readers accept that much before the header


def require_pdf(raw: bytes) -> None:
    """Raises `UnreadableDocument` if ``raw`` is no PDF."""
    if b"%PDF-" not in raw[:_PDF_HEADER_BYTES]:
        raise UnreadableDocument(f"it is not a PDF: {_looks(raw)}")


def require_zip(raw: bytes, name: str) -> None:
    """Raises `UnreadableDocument` if ``raw`` is no ZIP archive, as a ``name`` (DOCX, …) has to be."""
    if raw.startswith(_OLE) and "EncryptedPackage".encode("utf-16-le") in raw:
        raise UnreadableDocument("it is encrypted, and opens only with a password")
    if not raw.startswith(b"PK"):
        raise UnreadableDocument(f"it is not {name}: {_looks(raw)}")


def refuse_binary(raw: bytes) -> None:
    """Raises `UnreadableDocument` if ``raw`` is a known kind of file that is no text."""
    kind = kind_of(raw)
    if kind not in ("", "HTML", "RTF"):
        raise UnreadableDocument(f"it is not text: its content is {kind}")


def kind_of(raw: bytes) -> str:
    """What the content is, in words; empty if unknown."""
    for start, kind in _KINDS:
        if raw.startswith(start):
            return kind
    return "HTML" if raw[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_HTML) else ""


def _looks(raw: bytes) -> str:
    kind = kind_of(raw)
    return f"its content is {kind}" if kind else "its content is something else, or damaged"
