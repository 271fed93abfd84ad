"""Detects formats by file signature (the first bytes), independent of the file name."""

from __future__ import annotations

from retriton_pipeline.errors import UnreadableDocument

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SIGNATURES = (
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
_PDF_PREAMBLE_BYTES_MAX = 1024  # PDF viewers accept this many bytes before the header


def detected_format(raw: bytes) -> str:
    """The format of ``raw``, with its article; empty if unknown."""
    for start, name in _SIGNATURES:
        if raw.startswith(start):
            return name
    return "HTML" if raw[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_HTML) else ""


def require_pdf(raw: bytes) -> None:
    """Checks that ``raw`` is a PDF.

    Raises:
        UnreadableDocument: it is not.
    """
    if b"%PDF-" not in raw[:_PDF_PREAMBLE_BYTES_MAX]:
        raise UnreadableDocument(f"it is not a PDF: {_actual_content(raw)}")


def require_zip(raw: bytes, name: str) -> None:
    """Checks that ``raw`` is a ZIP archive, the container of the format ``name`` ("a DOCX").

    Raises:
        UnreadableDocument: it is not, or it is an encrypted Office file.
    """
    if raw.startswith(_OLE) and "EncryptedPackage".encode("utf-16-le") in raw:
        raise UnreadableDocument("it is encrypted and requires a password")
    if not raw.startswith(b"PK"):
        raise UnreadableDocument(f"it is not {name}: {_actual_content(raw)}")


def require_rtf(raw: bytes) -> None:
    """Checks that ``raw`` is RTF.

    Raises:
        UnreadableDocument: it is not.
    """
    if not raw.lstrip().startswith(b"{\\rtf"):
        raise UnreadableDocument(f"it is not RTF: {_actual_content(raw)}")


def require_ole(raw: bytes, name: str) -> None:
    """Checks that ``raw`` is an OLE file, the container of the format ``name`` ("a DOC").

    Raises:
        UnreadableDocument: it is not.
    """
    if not raw.startswith(_OLE):
        raise UnreadableDocument(f"it is not {name}: {_actual_content(raw)}")


def require_text(raw: bytes) -> None:
    """Checks that ``raw`` does not have the signature of a binary format.

    Raises:
        UnreadableDocument: it has.
    """
    name = detected_format(raw)
    if name not in ("", "HTML", "RTF"):
        raise UnreadableDocument(f"it is not text: its content is {name}")


def _actual_content(raw: bytes) -> str:
    return f"its content is {detected_format(raw) or 'something else, or damaged'}"
