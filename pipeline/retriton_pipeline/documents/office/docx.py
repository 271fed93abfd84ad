"""DOCX: converted to HTML by mammoth, with headings, lists, tables, text boxes and footnotes."""

from __future__ import annotations

import io
import zipfile

import mammoth
from lxml import etree

from retriton_pipeline.documents.completeness import characters
from retriton_pipeline.documents.html.blocks import html_blocks
from retriton_pipeline.documents.html.parsing import parse_html
from retriton_pipeline.documents.model import Content
from retriton_pipeline.documents.office.archive import open_archive, parse_xml, require_tags, tags_max
from retriton_pipeline.documents.office.docx_numbering import Numbering
from retriton_pipeline.documents.office.docx_styles import Styles
from retriton_pipeline.documents.office.docx_text import visible
from retriton_pipeline.documents.office.list_numbers import with_displayed_number
from retriton_pipeline.documents.office.ooxml import part_finder, transitional
from retriton_pipeline.documents.office.properties import core_properties
from retriton_pipeline.documents.titles import first_heading

_BODY = "word/document.xml"
_TEXTS = (_BODY, "word/footnotes.xml", "word/endnotes.xml")
_TAGS_MAX = 1_000_000  # mammoth converts some 20,000 a second
_STYLES = "p[style-name='Title'] => h1:fresh\np[style-name='Subtitle'] => p:fresh"


def read_docx(raw: bytes) -> Content:
    """Blocks and document properties: the text as displayed, with all tracked changes accepted.

    Comments, headers, footers and hidden text are skipped.

    Raises:
        UnreadableDocument: it is of another format, encrypted, damaged or too large.
    """
    archive = open_archive(raw, "a DOCX", _BODY)
    copy, shown = _as_displayed(archive, tags_max(raw, _TAGS_MAX))
    page = mammoth.convert_to_html(
        copy,
        style_map=_STYLES,
        convert_image=mammoth.images.img_element(lambda image: {}),
    ).value
    tree = parse_html(page) if page else None
    title, metadata = core_properties(archive)
    blocks = [with_displayed_number(block) for block in html_blocks(tree)] if tree is not None else []
    return Content(title or first_heading(blocks), blocks, metadata, visible_characters=shown)


def _as_displayed(archive: zipfile.ZipFile, limit: int) -> tuple[io.BytesIO, int]:
    """A copy of the file, without images, whose text is what is displayed, and its number of characters."""
    parts = {}
    for name in dict.fromkeys(archive.namelist()):
        if name.endswith((".xml", ".rels")):
            require_tags(part := archive.read(name), limit)
            parts[name] = transitional(part)
    styles = Styles(_root(parts, "word/styles.xml"))
    definitions = _root(parts, "word/numbering.xml")
    drawn: set[str] = set()
    shown = 0
    for name in _TEXTS:
        if (root := _root(parts, name)) is not None:
            numbering = Numbering(definitions, styles)
            displayed = visible(root, styles, numbering, part_finder(archive, name, drawn))
            shown += sum(characters(text.text or "") for text in displayed.iter("{*}t"))
            parts[name] = etree.tostring(displayed)
    copied = io.BytesIO()
    with zipfile.ZipFile(copied, "w") as copy:
        for name, part in parts.items():
            copy.writestr(name, part)
    copied.seek(0)
    return copied, shown


def _root(parts: dict[str, bytes], name: str) -> etree._Element | None:
    return parse_xml(parts[name]) if parts.get(name) else None
