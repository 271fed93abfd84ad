"""ODT: its paragraphs, lists and tables have counterparts in HTML."""

from __future__ import annotations

import zipfile

from lxml import etree

from retriton_pipeline.documents.archives import open_archive, parse_xml
from retriton_pipeline.documents.html_blocks import html_blocks
from retriton_pipeline.documents.model import Content, Scalar
from retriton_pipeline.documents.titles import first_heading, usable_title
from retriton_pipeline.errors import UnreadableDocument

_TAGS = {
    "p": "p",
    "list": "ul",
    "list-item": "li",
    "table": "table",
    "table-row": "tr",
    "table-cell": "td",
    "line-break": "br",
    "annotation": "template",  # comments, and what was deleted: skipped
    "tracked-changes": "template",
    "note-citation": "template",
    **dict.fromkeys(("text", "section", "list-header", "text-box", "table-header-rows"), "div"),
}
_PROPERTIES = {"creator": "author", "initial-creator": "author", "subject": "subject", "creation-date": "created"}


def read_odt(raw: bytes) -> Content:
    """Blocks, and the properties of the file.

    Raises:
        UnreadableDocument: it is something else, encrypted, damaged or a bomb.
    """
    archive = open_archive(raw, "an ODT", "content.xml")
    if b"encryption-data" in _member(archive, "META-INF/manifest.xml"):
        raise UnreadableDocument("it is encrypted, and opens only with a password")
    root = parse_xml(archive.read("content.xml"))
    body = next((element for element in root.iter() if _name(element) == "text" and len(element)), None)
    if body is None:
        raise UnreadableDocument("it is an OpenDocument file, but not a text")
    for element in body.iter(etree.Element):
        _rename(element)
    meta = _member(archive, "meta.xml")
    title, metadata = _properties(meta) if meta else ("", {})
    blocks = html_blocks(body)
    return Content(title or first_heading(blocks), blocks, metadata)


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    return archive.read(name) if name in archive.namelist() else b""


def _rename(element: etree._Element) -> None:
    name = _name(element)
    attributes = {str(key).rpartition("}")[2]: str(value) for key, value in element.attrib.items()}
    if name == "h":
        element.tag = f"h{min(int(attributes.get('outline-level', '1')), 6)}"
    elif name in ("s", "tab"):
        element.tag, element.text = "span", " "
    else:
        element.tag = _TAGS.get(name, "span")
    if name == "note-body":  # stays in its paragraph
        for paragraph in element:
            paragraph.tag, paragraph.text = "span", f" {paragraph.text or ''}"
    for ours, theirs in (("colspan", "number-columns-spanned"), ("rowspan", "number-rows-spanned")):
        if theirs in attributes:
            element.set(ours, attributes[theirs])


def _properties(raw: bytes) -> tuple[str, dict[str, Scalar]]:
    texts = {_name(element): (element.text or "").strip() for element in parse_xml(raw).iter(etree.Element)}
    metadata = {_PROPERTIES[name]: text for name, text in texts.items() if name in _PROPERTIES and text}
    return usable_title(texts.get("title")), dict(metadata)


def _name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]
