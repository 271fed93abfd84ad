"""PDF: the text layer, page by page."""

from __future__ import annotations

import re

import pypdfium2
from pypdfium2.raw import FPDF_ERR_PASSWORD

from retriton_pipeline.documents.model import Block
from retriton_pipeline.errors import UnreadableDocument

_HYPHENATED = re.compile("[\ufffe\x02]\\s*")  # PDFium's mark for a word broken at the end of a line
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")


def read_pdf(raw: bytes) -> tuple[str, list[Block]]:
    """Title (from the metadata) and blocks with their pages.

    Raises:
        UnreadableDocument: it is encrypted or broken, or has no text.
    """
    try:
        document = pypdfium2.PdfDocument(raw)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == FPDF_ERR_PASSWORD:
            raise UnreadableDocument("it is encrypted, and opens only with a password") from error
        raise UnreadableDocument(f"it is not a readable PDF: {error}") from error
    with document:
        blocks = [block for index in range(len(document)) for block in _page_blocks(document, index)]
        if not blocks:
            raise UnreadableDocument(f"none of its {len(document)} pages has a text layer (a scan?)")
        return (document.get_metadata_value("Title") or "").strip(), blocks


def _page_blocks(document: pypdfium2.PdfDocument, index: int) -> list[Block]:
    try:
        page = document[index]
    except pypdfium2.PdfiumError:
        return []  # one broken page; the others still count
    text = page.get_textpage().get_text_bounded()
    text = _HYPHENATED.sub("", text).replace("\r\n", "\n").replace("\0", "")
    return [Block(part.strip(), page=index + 1) for part in _BLANK_LINES.split(text) if part.strip()]
