"""All formats. To add one, write a module with a ``read`` function and add a line to `READERS`."""

from __future__ import annotations

from retriton_pipeline.documents.containers.suffixes import CONTAINER_SUFFIXES
from retriton_pipeline.documents.languages import LANGUAGES
from retriton_pipeline.documents.reader import DocumentReader, LazyReader
from retriton_pipeline.documents.records.reader import RECORD_SUFFIXES
from retriton_pipeline.errors import UnreadableDocument

_OFFICE = "application/vnd.openxmlformats-officedocument"
_ODF = "application/vnd.oasis.opendocument"
_XML_SUFFIXES = (".xml", ".rss", ".atom", ".opml", ".plist", ".ttml", ".dfxp", ".xlf", ".xliff", ".dita", ".ditamap",
                 ".dbk", ".nxml", ".resx", ".wsdl", ".xsd", ".kml", ".gpx")  # fmt: skip

READERS: tuple[DocumentReader, ...] = (
    LazyReader("text.plain_text:read_text", (".txt", ".text"), ("text/plain",)),
    LazyReader("text.plain_text:read_log", (".log",)),
    LazyReader("text.markdown:read_markdown", (".md", ".markdown"), ("text/markdown",)),
    LazyReader("text.markdown:read_mdx", (".mdx",), ("text/mdx",)),
    LazyReader("markup.restructured_text:read_rst", (".rst", ".rest"), ("text/x-rst",)),
    LazyReader("markup.asciidoc:read_asciidoc", (".adoc", ".asciidoc", ".asc"), ("text/asciidoc",)),
    LazyReader("markup.org:read_org", (".org",), ("text/org",)),
    LazyReader("markup.latex:read_latex", (".tex", ".latex", ".ltx"), ("application/x-tex",)),
    LazyReader("markup.xml:read_xml", _XML_SUFFIXES, ("application/xml", "text/xml")),
    LazyReader("html.page:read_html", (".html", ".htm", ".xhtml"), ("text/html", "application/xhtml+xml")),
    LazyReader("pdf.reader:read_pdf", (".pdf",), ("application/pdf",)),
    LazyReader(
        "office.docx:read_docx", (".docx", ".docm", ".dotx", ".dotm"), (f"{_OFFICE}.wordprocessingml.document",)
    ),
    LazyReader(
        "office.pptx:read_pptx",
        (".pptx", ".pptm", ".ppsx", ".ppsm", ".potx", ".potm"),
        (f"{_OFFICE}.presentationml.presentation",),
    ),
    LazyReader("office.xlsx:read_xlsx", (".xlsx", ".xlsm", ".xltx", ".xltm"), (f"{_OFFICE}.spreadsheetml.sheet",)),
    LazyReader("office.legacy:read_doc", (".doc", ".dot"), ("application/msword",)),
    LazyReader("office.legacy:read_ppt", (".ppt", ".pps"), ("application/vnd.ms-powerpoint",)),
    LazyReader("office.xls:read_xls", (".xls",), ("application/vnd.ms-excel",)),
    LazyReader("office.odt:read_odt", (".odt", ".ott"), (f"{_ODF}.text",)),
    LazyReader("office.ods:read_ods", (".ods", ".ots"), (f"{_ODF}.spreadsheet",)),
    LazyReader("office.odp:read_odp", (".odp", ".otp"), (f"{_ODF}.presentation",)),
    LazyReader("office.epub:read_epub", (".epub",), ("application/epub+zip",)),
    LazyReader("office.rtf:read_rtf", (".rtf",), ("application/rtf", "text/rtf")),
    LazyReader("records.delimited:read_csv", (".csv",), ("text/csv",)),
    LazyReader("records.delimited:read_tsv", (".tsv",), ("text/tab-separated-values",)),
    LazyReader("text.mail:read_mail", (".eml",), ("message/rfc822",)),
    LazyReader("text.mail:read_mail", (".mht", ".mhtml"), ("multipart/related",)),
    LazyReader("text.calendar:read_calendar", (".ics",), ("text/calendar",)),
    LazyReader("text.outlook:read_msg", (".msg",), ("application/vnd.ms-outlook",)),
    LazyReader("text.subtitles:read_subtitles", (".srt",), ("application/x-subrip",), "srt"),
    LazyReader("text.subtitles:read_subtitles", (".vtt",), ("text/vtt",), "vtt"),
    LazyReader("text.subtitles:read_subtitles", (".ass", ".ssa"), ("text/x-ssa",), "ass"),
    LazyReader("code.notebook:read_notebook", (".ipynb",), ("application/x-ipynb+json",)),
    LazyReader("code.configuration:read_configuration", (".yaml", ".yml"), ("application/yaml",), "yaml"),
    LazyReader("code.configuration:read_configuration", (".toml", ".ini", ".cfg", ".conf"), (), "sections"),
    LazyReader("code.configuration:read_properties", (".properties", ".env"), ("text/x-java-properties",)),
    *(LazyReader("code.source:read_source", suffixes, (), language) for language, suffixes in LANGUAGES.items()),
)
_BY_SUFFIX = {suffix: reader for reader in READERS for suffix in reader.suffixes}
SUFFIXES = (*_BY_SUFFIX, *RECORD_SUFFIXES, *CONTAINER_SUFFIXES)
_REMEDIES = {
    **dict.fromkeys((".xlsb", ".numbers", ".gsheet"), "save them as .xlsx"),
    **dict.fromkeys((".pages", ".gdoc", ".wpd"), "save them as .docx"),
    **dict.fromkeys((".key",), "save them as .pptx"),
    **dict.fromkeys((".7z", ".rar"), "unpack them"),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".tif", ".tiff"), "put the pictures of text into a PDF"),
}


def reader_of(suffix: str) -> DocumentReader:
    """The reader for files with ``suffix`` (lower case, with its dot).

    Raises:
        UnreadableDocument: the format is not supported.
    """
    if reader := _BY_SUFFIX.get(suffix):
        return reader
    kind = f"files of type {suffix}" if suffix else "files without a suffix"
    remedy = f": {_REMEDIES[suffix]}" if suffix in _REMEDIES else ""
    raise UnreadableDocument(f"{kind} are not supported{remedy}")
