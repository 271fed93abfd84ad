"""Hostile office files: small ZIP archives whose content expands, repeats or refers to itself."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_OPEN_XML = "application/vnd.openxmlformats-officedocument"
_ODF = "urn:oasis:names:tc:opendocument:xmlns"
Members = Mapping[str, str | bytes]


def archive(members: Members) -> bytes:
    """A compressed ZIP archive of ``members``."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return packed.getvalue()


def docx(body: str, parts: str = "", **members: str | bytes) -> bytes:
    """A DOCX with the XML ``body``; further members by name, with ``__`` for the slash and ``_`` for the dot.

    Args:
        body: the XML.
        parts: the XML of the relations of the body.
        members: further members.
    """
    types = f'<Types xmlns="{_TYPES}"><Default Extension="xml" ContentType="application/xml"/></Types>'
    relations = (
        f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="r1" Type="{_OFFICE}/officeDocument" '
        'Target="word/document.xml"/></Relationships>'
    )
    document = f"<w:document {_W}><w:body>{body}</w:body></w:document>"
    others = {name.replace("__", "/").replace("_", "."): content for name, content in members.items()}
    if parts:
        others["word/_rels/document.xml.rels"] = f'<Relationships xmlns="{_RELATIONS}">{parts}</Relationships>'
    return archive({"[Content_Types].xml": types, "_rels/.rels": relations, "word/document.xml": document, **others})


def xlsx(rows: str, sheets: int = 1, **members: str | bytes) -> bytes:
    """An XLSX with the XML ``rows``, which all its sheets refer to; further members as for `docx`."""
    types = (
        f'<Types xmlns="{_TYPES}"><Override PartName="/xl/workbook.xml" '
        f'ContentType="{_OPEN_XML}.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/sharedStrings.xml" '
        f'ContentType="{_OPEN_XML}.spreadsheetml.sharedStrings+xml"/></Types>'
    )
    listed = "".join(f'<sheet name="s{number}" sheetId="{number}" r:id="r1"/>' for number in range(1, sheets + 1))
    workbook = f'<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>'
    relations = (
        f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="r1" Type="{_OFFICE}/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>'
    )
    sheet = f'<worksheet xmlns="{_SHEET}"><dimension ref="A1:XFD1048576"/><sheetData>{rows}</sheetData></worksheet>'
    others = {name.replace("__", "/").replace("_", "."): content for name, content in members.items()}
    strings = others.pop("xl/sharedStrings.xml", f'<sst xmlns="{_SHEET}"/>')
    return archive(
        {
            "[Content_Types].xml": types,
            "xl/workbook.xml": workbook,
            "xl/_rels/workbook.xml.rels": relations,
            "xl/worksheets/sheet1.xml": sheet,
            "xl/sharedStrings.xml": strings,
            **others,
        }
    )


def styles_xlsx(tags: int) -> bytes:
    """An XLSX whose styles have ``tags`` fonts."""
    return xlsx(
        '<row r="1"><c r="A1" t="inlineStr"><is><t>text</t></is></c></row>',
        xl__styles_xml=f'<styleSheet xmlns="{_SHEET}"><fonts>{"<font/>" * tags}</fonts></styleSheet>',
    )


def shared_text_xlsx(characters: int, cells: int) -> bytes:
    """An XLSX whose ``cells`` all refer to a text of ``characters``."""
    rows = "".join(f'<row r="{row}"><c r="A{row}" t="s"><v>0</v></c></row>' for row in range(1, cells + 1))
    text = "word " * (characters // 5)
    return xlsx(rows, xl__sharedStrings_xml=f'<sst xmlns="{_SHEET}"><si><t>{text}</t></si></sst>')


def epub(chapter: str, repeated: int = 1, distinct: int = 1) -> bytes:
    """An EPUB that lists each of its ``distinct`` chapters ``repeated`` times."""
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="book.opf"/></rootfiles></container>'
    )
    items = "".join(f'<item id="c{number}" href="c{number}.xhtml"/>' for number in range(distinct))
    spine = "".join(f'<itemref idref="c{number}"/>' for number in range(distinct)) * repeated
    package = (
        f'<package xmlns="http://www.idpf.org/2007/opf"><metadata/><manifest>{items}</manifest>'
        f"<spine>{spine}</spine></package>"
    )
    chapters = {f"c{number}.xhtml": chapter for number in range(distinct)}
    return archive({"META-INF/container.xml": container, "book.opf": package, **chapters})


def ods(body: str, **members: str | bytes) -> bytes:
    """An ODS with the XML ``body``; further members as for `docx`."""
    return _odf("spreadsheet", body, members)


def odt(body: str, **members: str | bytes) -> bytes:
    """An ODT with the XML ``body``; further members as for `docx`."""
    return _odf("text", body, members)


def _odf(kind: str, body: str, members: Members) -> bytes:
    content = (
        f'<office:document-content xmlns:office="{_ODF}:office:1.0" xmlns:text="{_ODF}:text:1.0" '
        f'xmlns:table="{_ODF}:table:1.0"><office:body><office:{kind}>{body}</office:{kind}></office:body>'
        "</office:document-content>"
    )
    others = {name.replace("__", "/").replace("_", "."): text for name, text in members.items()}
    return archive({"content.xml": content, **others})
