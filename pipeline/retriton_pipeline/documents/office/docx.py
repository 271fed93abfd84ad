"""DOCX: converted to HTML by mammoth, with headings, lists, tables, text boxes and footnotes."""

from __future__ import annotations

import io
import zipfile

import mammoth
from lxml import etree

from retriton_pipeline.documents.html.blocks import html_blocks
from retriton_pipeline.documents.html.parsing import parse_html
from retriton_pipeline.documents.model import Content
from retriton_pipeline.documents.office.archive import open_archive, parse_xml, require_tags, tags_max
from retriton_pipeline.documents.office.formulas import MATH, formula_text
from retriton_pipeline.documents.office.properties import core_properties
from retriton_pipeline.documents.titles import first_heading

_BODY = "word/document.xml"
_TAGS_MAX = 1_000_000  # mammoth converts some 20,000 a second
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STYLES = "p[style-name='Title'] => h1:fresh\np[style-name='Subtitle'] => p:fresh"


def read_docx(raw: bytes) -> Content:
    """Blocks and document properties. Comments, headers and footers are skipped.

    Raises:
        UnreadableDocument: it is of another format, encrypted, damaged or too large.
    """
    archive = open_archive(raw, "a DOCX", _BODY)
    page = mammoth.convert_to_html(
        _with_formulas_as_text(archive, tags_max(raw, _TAGS_MAX)),
        style_map=_STYLES,
        convert_image=mammoth.images.img_element(lambda image: {}),
    ).value
    tree = parse_html(page) if page else None
    title, metadata = core_properties(archive)
    blocks = html_blocks(tree) if tree is not None else []
    return Content(title or first_heading(blocks), blocks, metadata)


def _with_formulas_as_text(archive: zipfile.ZipFile, limit: int) -> io.BytesIO:
    """A copy of the file, without images, in which formulas are plain text: mammoth ignores formulas."""
    body = archive.read(_BODY)
    copied = io.BytesIO()
    with zipfile.ZipFile(copied, "w") as copy:
        for name in dict.fromkeys(archive.namelist()):
            if name != _BODY and name.endswith((".xml", ".rels")):
                part = archive.read(name)
                require_tags(part, limit)
                copy.writestr(name, part)
        require_tags(body, limit)
        copy.writestr(_BODY, _formulas_as_text(body) if b"oMath" in body else body)
    copied.seek(0)
    return copied


def _formulas_as_text(body: bytes) -> bytes:
    root = parse_xml(body)
    for formula in list(root.iter(f"{MATH}oMath")):
        run = etree.Element(f"{_WORD}r")
        etree.SubElement(run, f"{_WORD}t").text = formula_text(formula)
        run.tail = formula.tail
        parent = formula.getparent()
        if parent is not None:
            parent.replace(formula, run)
    etree.strip_tags(root, f"{MATH}oMathPara")
    return etree.tostring(root)
