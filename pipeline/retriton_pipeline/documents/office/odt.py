"""ODT: paragraphs, lists and tables are renamed to the HTML elements that correspond to them."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass

from lxml import etree

from retriton_pipeline.documents.html.blocks import html_blocks
from retriton_pipeline.documents.model import Content, Scalar
from retriton_pipeline.documents.office.archive import (
    local_name,
    open_archive,
    parse_xml,
    read_member,
    require_tags,
    tags_max,
)
from retriton_pipeline.documents.office.list_numbers import with_displayed_number
from retriton_pipeline.documents.office.odf_charts import show_charts
from retriton_pipeline.documents.office.odt_controls import show_controls
from retriton_pipeline.documents.office.odt_formulas import show_formulas
from retriton_pipeline.documents.office.odt_text import OdtStyles, as_displayed
from retriton_pipeline.documents.titles import first_heading, usable_title
from retriton_pipeline.errors import UnreadableDocument

_HTML_TAGS = {
    "p": "p",
    "list": "ul",
    "list-item": "li",
    "table": "table",
    "table-row": "tr",
    "table-cell": "td",
    "line-break": "br",
    "annotation": "template",  # `html_blocks` skips templates
    "tracked-changes": "template",
    "note-citation": "template",
    "ruby-text": "template",
    "table-header-rows": "thead",
    **dict.fromkeys(("text", "section", "list-header", "text-box"), "div"),
}
_HTML_ATTRIBUTES = {"number-columns-spanned": "colspan", "number-rows-spanned": "rowspan"}
_METADATA = {"creator": "author", "initial-creator": "author", "subject": "subject", "creation-date": "created"}


def read_odt(raw: bytes) -> Content:
    """Blocks and document properties. Footnotes follow their paragraphs.

    Comments, hidden and deleted text are skipped.

    Raises:
        UnreadableDocument: it is of another format, encrypted, damaged or too large.
    """
    odf = open_odf(raw, "an ODT")
    body = next((element for element in odf.root.iter() if local_name(element.tag) == "text" and len(element)), None)
    if body is None:
        raise UnreadableDocument("it is an OpenDocument file, but not a text document")
    show_controls(body)
    show_formulas(body, odf.archive)
    show_charts(body, odf.archive)
    as_displayed(body, OdtStyles(*odf.styles, odf.root))
    rename_elements(body)
    blocks = list(map(with_displayed_number, html_blocks(body)))
    return Content(odf.title or first_heading(blocks), blocks, odf.metadata)


@dataclass(frozen=True)
class OdfFile:
    """An OpenDocument file.

    Attributes:
        root: of its content.
        styles: the roots of its other styles.
        archive: the file.
        title, metadata: its properties.
    """

    root: etree._Element
    styles: list[etree._Element]
    archive: zipfile.ZipFile
    title: str
    metadata: dict[str, Scalar]


def open_odf(raw: bytes, name: str) -> OdfFile:
    """Opens a file of the format ``name`` ("an ODT").

    Raises:
        UnreadableDocument: it is of another format, encrypted, damaged or too large.
    """
    archive = open_archive(raw, name, "content.xml")
    if b"encryption-data" in read_member(archive, "META-INF/manifest.xml"):
        raise UnreadableDocument("it is encrypted and requires a password")
    content = archive.read("content.xml")
    require_tags(content, tags_max(raw))
    meta = read_member(archive, "meta.xml")
    title, metadata = _properties(meta) if meta else ("", {})
    return OdfFile(parse_xml(content), _styles(archive), archive, title, metadata)


def _styles(archive: zipfile.ZipFile) -> list[etree._Element]:
    raw = read_member(archive, "styles.xml")
    return [parse_xml(raw)] if raw else []


def rename_elements(body: etree._Element) -> None:
    """Replaces the names and attributes of all elements of ``body`` by those of HTML."""
    for element in body.iter(etree.Element):
        _rename(element)


def _rename(element: etree._Element) -> None:
    """Replaces the name and attributes of ``element`` by those of HTML."""
    name = local_name(element.tag)
    attributes = {local_name(key): str(value) for key, value in element.attrib.items()}
    if name == "h":
        element.tag = f"h{_heading_level(attributes.get('outline-level', '1'))}"
    elif name in ("s", "tab"):
        element.tag, element.text = "span", " "
    else:
        element.tag = _HTML_TAGS.get(name, "span")
    for odf_name, html_name in _HTML_ATTRIBUTES.items():
        if odf_name in attributes:
            element.set(html_name, attributes[odf_name])


def _heading_level(value: str) -> int:
    return min(max(int(value), 1), 6) if value.isdecimal() and len(value) < 3 else 6


def _properties(raw: bytes) -> tuple[str, dict[str, Scalar]]:
    texts = {local_name(element.tag): (element.text or "").strip() for element in parse_xml(raw).iter(etree.Element)}
    metadata = {_METADATA[name]: text for name, text in texts.items() if name in _METADATA and text}
    return usable_title(texts.get("title")), dict(metadata)
