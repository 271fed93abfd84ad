"""Files that are attached to a PDF: their names, and portfolios, which consist of them."""

from __future__ import annotations

import ctypes
import re

import pypdfium2
from pypdfium2 import raw as pdfium

from retriton_pipeline.documents.pdf.line import Line
from retriton_pipeline.errors import UnreadableDocument

_NAMES_MAX = 100
_NAME_BYTES_MAX = 4096
_COVER = re.compile(r"\bpdf[ -]?(?:portfolio|package)", re.IGNORECASE)
_COVER_LINES_MAX = 30
_MARK = b"/Collection"  # in the catalog of a portfolio


def attached_names(document: pypdfium2.PdfDocument) -> list[str]:
    """The names of the attached files."""
    count = min(pdfium.FPDFDoc_GetAttachmentCount(document.raw), _NAMES_MAX)
    names = (_name(pdfium.FPDFDoc_GetAttachment(document.raw, number)) for number in range(count))
    return [name for name in names if name]


def require_no_portfolio(raw: bytes, names: list[str], first_page: list[Line]) -> None:
    """Checks that the pages are not only the cover of attached files.

    Args:
        raw: the file.
        names: of the attached files.
        first_page: the lines of the first page.

    Raises:
        UnreadableDocument: it is a portfolio.
    """
    text = " ".join(line.text for line in first_page[: _COVER_LINES_MAX + 1])
    if names and (_MARK in raw or (len(first_page) <= _COVER_LINES_MAX and _COVER.search(text))):
        raise UnreadableDocument(
            f"it is a portfolio of {len(names)} attached files ({', '.join(names[:3])}{', …' if names[3:] else ''}): "
            "save them, and ingest them instead"
        )


def _name(attachment: pdfium.FPDF_ATTACHMENT) -> str:
    size = min(pdfium.FPDFAttachment_GetName(attachment, None, 0), _NAME_BYTES_MAX)
    buffer = (ctypes.c_ushort * (size // 2))()
    pdfium.FPDFAttachment_GetName(attachment, buffer, size)
    return bytes(buffer).decode("utf-16-le", "replace").rstrip("\0")
