"""All formats. To add one, write a module with a ``read`` function and add a line to `READERS`."""

from __future__ import annotations

from retriton_pipeline.documents.reader import DocumentReader, LazyReader
from retriton_pipeline.documents.records.reader import RECORD_SUFFIXES
from retriton_pipeline.errors import UnreadableDocument

_OFFICE = "application/vnd.openxmlformats-officedocument"

READERS: tuple[DocumentReader, ...] = (
    LazyReader("text.plain_text:read_text", (".txt", ".text"), ("text/plain",)),
    LazyReader("text.markdown:read_markdown", (".md", ".markdown", ".mdx"), ("text/markdown",)),
    LazyReader("html.page:read_html", (".html", ".htm", ".xhtml"), ("text/html", "application/xhtml+xml")),
    LazyReader("pdf.reader:read_pdf", (".pdf",), ("application/pdf",)),
    LazyReader("office.docx:read_docx", (".docx",), (f"{_OFFICE}.wordprocessingml.document",)),
    LazyReader("office.pptx:read_pptx", (".pptx",), (f"{_OFFICE}.presentationml.presentation",)),
    LazyReader("office.xlsx:read_xlsx", (".xlsx", ".xlsm"), (f"{_OFFICE}.spreadsheetml.sheet",)),
    LazyReader("records.delimited:read_csv", (".csv",), ("text/csv",)),
    LazyReader("records.delimited:read_tsv", (".tsv",), ("text/tab-separated-values",)),
    LazyReader("text.mail:read_mail", (".eml",), ("message/rfc822",)),
    LazyReader("office.odt:read_odt", (".odt",), ("application/vnd.oasis.opendocument.text",)),
    LazyReader("office.epub:read_epub", (".epub",), ("application/epub+zip",)),
    LazyReader("office.rtf:read_rtf", (".rtf",), ("application/rtf", "text/rtf")),
)
_BY_SUFFIX = {suffix: reader for reader in READERS for suffix in reader.suffixes}
SUFFIXES = (*_BY_SUFFIX, *RECORD_SUFFIXES)
_SUCCESSORS = {".doc": ".docx", ".dot": ".docx", ".xls": ".xlsx", ".xlsb": ".xlsx", ".ppt": ".pptx", ".pps": ".pptx"}


def reader_of(suffix: str) -> DocumentReader:
    """The reader for files with ``suffix`` (lower case, with its dot).

    Raises:
        UnreadableDocument: the format is not supported.
    """
    if reader := _BY_SUFFIX.get(suffix):
        return reader
    hint = f"save it as {successor}" if (successor := _SUCCESSORS.get(suffix)) else f"only {' '.join(SUFFIXES)} are"
    raise UnreadableDocument(f"files of type {suffix or '(none)'} are not supported: {hint}")
