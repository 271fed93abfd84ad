"""PDF: the text layer, page by page."""

from __future__ import annotations

import re

import pypdfium2
from pypdfium2.raw import FPDF_ERR_PASSWORD

from retriton_pipeline.documents.model import Content, Scalar
from retriton_pipeline.documents.pdf_layout import page_blocks
from retriton_pipeline.documents.pdf_line import Line
from retriton_pipeline.documents.pdf_lines import page_lines
from retriton_pipeline.documents.pdf_running import without_running
from retriton_pipeline.documents.pdf_style import Style
from retriton_pipeline.documents.signatures import require_pdf
from retriton_pipeline.documents.titles import first_heading, usable_title
from retriton_pipeline.errors import UnreadableDocument

_PROPERTIES = {"Author": "author", "Subject": "subject", "Keywords": "keywords", "CreationDate": "created"}
_DATE = re.compile(r"D:(\d{4})(\d\d)(\d\d).*")


def read_pdf(raw: bytes) -> Content:
    """Blocks with their pages, and the properties of the file.

    Raises:
        UnreadableDocument: it is something else, encrypted or broken, or has no text.
    """
    require_pdf(raw)
    try:
        document = pypdfium2.PdfDocument(raw)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == FPDF_ERR_PASSWORD:
            raise UnreadableDocument("it is encrypted, and opens only with a password") from error
        raise UnreadableDocument(f"it is not a readable PDF, perhaps cut off: {error}") from error
    with document:
        pages = [_lines(document, index) for index in range(len(document))]
        if not any(pages):
            raise UnreadableDocument(f"none of its {len(document)} pages has a text layer (a scan?)")
        properties = document.get_metadata_dict(skip_empty=True)
    pages = without_running(pages)
    style = Style.of(pages)
    blocks = [block for page, lines in enumerate(pages, 1) for block in page_blocks(lines, style, page)]
    title = usable_title(properties.get("Title")) or first_heading(blocks)
    return Content(title, blocks, _metadata(properties))


def _lines(document: pypdfium2.PdfDocument, index: int) -> list[Line]:
    try:
        page = document[index]
    except pypdfium2.PdfiumError:
        return []  # one broken page; the others still count
    lines = page_lines(page)
    page.close()
    return lines


def _metadata(properties: dict[str, str]) -> dict[str, Scalar]:
    metadata: dict[str, Scalar] = {ours: properties[name] for name, ours in _PROPERTIES.items() if name in properties}
    if created := _DATE.fullmatch(str(metadata.get("created", ""))):
        metadata["created"] = "-".join(created.groups())
    return metadata
