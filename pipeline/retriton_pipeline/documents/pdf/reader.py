"""PDF: the text layer, page by page."""

from __future__ import annotations

import re

import pypdfium2
from pypdfium2.raw import FPDF_ERR_PASSWORD, FPDF_PAGEOBJ_IMAGE

from retriton_pipeline.documents.model import Block, Content, Scalar
from retriton_pipeline.documents.pdf.attachments import attached_names, require_no_portfolio
from retriton_pipeline.documents.pdf.blocks import page_blocks
from retriton_pipeline.documents.pdf.forms import require_no_dynamic_form
from retriton_pipeline.documents.pdf.headers_footers import without_headers_and_footers
from retriton_pipeline.documents.pdf.line import Line
from retriton_pipeline.documents.pdf.lines import page_lines
from retriton_pipeline.documents.pdf.ocr import VARIABLE, ocr_languages, recognized
from retriton_pipeline.documents.pdf.typography import Typography
from retriton_pipeline.documents.signatures import require_pdf
from retriton_pipeline.documents.titles import first_heading, usable_title
from retriton_pipeline.errors import UnreadableDocument

_METADATA = {"Author": "author", "Subject": "subject", "Keywords": "keywords", "CreationDate": "created"}
_DEFAULTS = ("anonymous", "(anonymous)", "unspecified", "(unspecified)")  # of a library that writes PDFs
_PAGES_MAX = 50_000
_CHARACTERS_MIN, _CHARACTERS_MAX = 1_000_000, 50_000_000
_CHARACTERS_PER_BYTE_MAX = 20  # a small file can repeat a page; ordinary ones have less than five
_REMEDY = f" (scans?): recognize their text before, or set {VARIABLE} to its language where tesseract is installed"
_NUMBERS_MAX = 20
_IMAGE_DEPTH_MAX = 3  # of forms within forms
_DATE = re.compile(r"D:(\d{4})(\d\d)(\d\d).*")


def read_pdf(raw: bytes) -> Content:
    """Blocks with their pages, and document properties. Invisible text and watermarks are skipped.

    Raises:
        UnreadableDocument: it is of another format, encrypted or damaged, a dynamic XFA form, or has no text layer.
    """
    require_pdf(raw)
    with _open(raw) as document:
        require_no_dynamic_form(document)
        document.init_forms()
        if len(document) > _PAGES_MAX:
            raise UnreadableDocument(f"it states {len(document)} pages, more than the limit of {_PAGES_MAX}: split it")
        pages = _all_lines(document, min(max(_CHARACTERS_PER_BYTE_MAX * len(raw), _CHARACTERS_MIN), _CHARACTERS_MAX))
        scans = [number for number, lines in enumerate(pages, 1) if not lines and _is_scan(document, number)]
        read = _recognized(document, scans)
        if not any(pages) and not any(read.values()):
            raise UnreadableDocument(f"none of its {len(document)} pages has a text layer{_REMEDY}")
        names = attached_names(document)
        require_no_portfolio(raw, names, pages[0])
        properties = document.get_metadata_dict(skip_empty=True)
    pages = without_headers_and_footers(pages)
    typography = Typography.of(pages)
    blocks = [
        block
        for page, lines in enumerate(pages, 1)
        for block in (read.get(page) or page_blocks(lines, typography, page))
    ]
    title = usable_title(properties.get("Title")) or first_heading(blocks)
    metadata = _metadata(properties) | ({"attachments": ", ".join(names)} if names else {})
    return Content(title, blocks, metadata, _unread([page for page in scans if page not in read]))


def _is_scan(document: pypdfium2.PdfDocument, number: int) -> bool:
    """Whether the page ``number``, which has no text, shows an image."""
    try:
        page = document[number - 1]
    except pypdfium2.PdfiumError:
        return False
    is_scan = any(True for _ in page.get_objects(filter=[FPDF_PAGEOBJ_IMAGE], max_depth=_IMAGE_DEPTH_MAX))
    page.close()
    return is_scan


def _recognized(document: pypdfium2.PdfDocument, scans: list[int]) -> dict[int, list[Block]]:
    """The texts of the pages ``scans``, if recognition is switched on."""
    languages = ocr_languages()
    return {number: recognized(document[number - 1], number, languages) for number in scans} if languages else {}


def _unread(scans: list[int]) -> dict[str, str]:
    if not scans:
        return {}
    numbers = ", ".join(map(str, scans[:_NUMBERS_MAX])) + (", …" if len(scans) > _NUMBERS_MAX else "")
    name = f"page {numbers}" if len(scans) == 1 else f"pages {numbers}"
    return {name: f"{len(scans)} of its pages are images without a text layer{_REMEDY}"}


def _all_lines(document: pypdfium2.PdfDocument, characters_max: int) -> list[list[Line]]:
    pages: list[list[Line]] = []
    characters = 0
    for index in range(len(document)):
        pages.append(_lines(document, index))
        characters += sum(len(line.text) for line in pages[-1])
        if characters > characters_max:
            raise UnreadableDocument(f"its pages have more than the limit of {characters_max} characters: split it")
    return pages


def _open(raw: bytes) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(raw)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == FPDF_ERR_PASSWORD:
            raise UnreadableDocument("it is encrypted and requires a password") from error
        raise UnreadableDocument(f"it is not a readable PDF, perhaps truncated: {error}") from error


def _lines(document: pypdfium2.PdfDocument, index: int) -> list[Line]:
    try:
        page = document[index]
    except pypdfium2.PdfiumError:
        return []  # one damaged page does not make the others unreadable
    lines = page_lines(page)
    page.close()
    return lines


def _metadata(properties: dict[str, str]) -> dict[str, Scalar]:
    metadata: dict[str, Scalar] = {
        key: value for name, key in _METADATA.items() if (value := properties.get(name, "")) and value not in _DEFAULTS
    }
    if created := _DATE.fullmatch(str(metadata.get("created", ""))):
        metadata["created"] = "-".join(created.groups())
    return metadata
