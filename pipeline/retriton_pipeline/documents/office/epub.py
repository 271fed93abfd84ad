"""EPUB: the chapters in the order of the spine."""

from __future__ import annotations

import posixpath
import zipfile
from urllib.parse import unquote

from lxml import etree

from retriton_pipeline.documents.html.blocks import html_blocks
from retriton_pipeline.documents.html.parsing import parse_html
from retriton_pipeline.documents.model import Block, Content, Scalar
from retriton_pipeline.documents.office.archive import open_archive, parse_xml
from retriton_pipeline.documents.parser_errors import parser_errors
from retriton_pipeline.documents.text.encoding import decode
from retriton_pipeline.documents.titles import first_heading, usable_title
from retriton_pipeline.errors import UnreadableDocument

_CONTAINER = "META-INF/container.xml"
_METADATA = {"creator": "author", "date": "date", "language": "language", "publisher": "publisher"}


def read_epub(raw: bytes) -> Content:
    """Blocks and the metadata of the book; chapters that are missing or damaged are its unreadable parts.

    Raises:
        UnreadableDocument: it is of another format, encrypted, too large, or none of its chapters can be read.
    """
    archive = open_archive(raw, "an EPUB", _CONTAINER)
    if "META-INF/rights.xml" in archive.namelist():
        raise UnreadableDocument("it is encrypted (digital rights management)")
    try:
        package_name = next(parse_xml(archive.read(_CONTAINER)).iter("{*}rootfile")).get("full-path", "")
        package = parse_xml(archive.read(package_name))
    except (KeyError, StopIteration) as error:
        raise UnreadableDocument(f"a part of the book is missing: {error}") from error
    blocks: list[Block] = []
    unreadable: dict[str, str] = {}
    for name in _chapters(package, package_name):
        try:
            with parser_errors():
                blocks += _chapter(archive, name)
        except UnreadableDocument as error:
            unreadable[name] = f"the chapter cannot be read: {error}"
    if unreadable and not blocks:
        raise UnreadableDocument(f"none of its chapters can be read; {next(iter(unreadable.values()))}")
    title = usable_title(package.findtext(".//{*}title"))
    return Content(title or first_heading(blocks), blocks, _metadata(package), unreadable)


def _chapters(package: etree._Element, package_name: str) -> list[str]:
    """The members with the chapters, in reading order, each once. A chapter without a file has its identifier."""
    files = {item.get("id"): item.get("href", "") for item in package.iter("{*}item")}
    folder = posixpath.dirname(package_name)
    names = []
    for reference in package.iter("{*}itemref"):
        identifier = reference.get("idref", "")
        href = unquote(files.get(identifier, ""))
        names.append(posixpath.normpath(posixpath.join(folder, href)) if href else identifier)
    return list(dict.fromkeys(names))


def _chapter(archive: zipfile.ZipFile, name: str) -> list[Block]:
    try:
        tree = parse_html(decode(archive.read(name)))
    except KeyError as error:
        raise UnreadableDocument("it is missing in the book") from error
    return html_blocks(tree) if tree is not None else []


def _metadata(package: etree._Element) -> dict[str, Scalar]:
    texts = {name: (package.findtext(f".//{{*}}{name}") or "").strip() for name in _METADATA}
    return {_METADATA[name]: text for name, text in texts.items() if text}
