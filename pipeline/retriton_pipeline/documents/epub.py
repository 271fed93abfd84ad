"""EPUB: the chapters in the order of its spine."""

from __future__ import annotations

import posixpath
import zipfile
from urllib.parse import unquote

from lxml import etree

from retriton_pipeline.documents.archives import open_archive, parse_xml
from retriton_pipeline.documents.html_blocks import html_blocks, parse_html
from retriton_pipeline.documents.model import Block, Content, Scalar
from retriton_pipeline.documents.plain_text import decode
from retriton_pipeline.documents.titles import first_heading, usable_title
from retriton_pipeline.errors import UnreadableDocument

_CONTAINER = "META-INF/container.xml"
_PROPERTIES = {"creator": "author", "date": "date", "language": "language", "publisher": "publisher"}


def read_epub(raw: bytes) -> Content:
    """Blocks, and the properties of the book.

    Raises:
        UnreadableDocument: it is something else, encrypted, damaged or a bomb.
    """
    archive = open_archive(raw, "an EPUB", _CONTAINER)
    if "META-INF/rights.xml" in archive.namelist():
        raise UnreadableDocument("it is encrypted (digital rights management)")
    try:
        package_name = next(parse_xml(archive.read(_CONTAINER)).iter("{*}rootfile")).get("full-path", "")
        package = parse_xml(archive.read(package_name))
        blocks = [block for name in _chapters(package, package_name) for block in _chapter(archive, name)]
    except (KeyError, StopIteration) as error:
        raise UnreadableDocument(f"a part of the book is missing: {error}") from error
    title = usable_title(package.findtext(".//{*}title"))
    return Content(title or first_heading(blocks), blocks, _properties(package))


def _chapters(package: etree._Element, package_name: str) -> list[str]:
    files = {item.get("id"): item.get("href", "") for item in package.iter("{*}item")}
    names = [files[item.get("idref")] for item in package.iter("{*}itemref")]
    return [posixpath.normpath(posixpath.join(posixpath.dirname(package_name), unquote(name))) for name in names]


def _chapter(archive: zipfile.ZipFile, name: str) -> list[Block]:
    tree = parse_html(decode(archive.read(name)))
    return html_blocks(tree) if tree is not None else []


def _properties(package: etree._Element) -> dict[str, Scalar]:
    texts = {name: (package.findtext(f".//{{*}}{name}") or "").strip() for name in _PROPERTIES}
    return {_PROPERTIES[name]: text for name, text in texts.items() if text}
