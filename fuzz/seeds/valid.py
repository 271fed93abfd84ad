"""Small valid files of every format, made with the libraries that the tests use."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from typing import Any

from fuzz.containers import ZIP
from fuzz.seeds import formats

PROSE = "The pump runs at 40 bar. Check the valve every day, and note the pressure in the log."


def _saved(save: Callable[[Any], None]) -> bytes:
    buffer = io.BytesIO()
    save(buffer)
    return buffer.getvalue()


def docx() -> bytes:
    """Headings, a list, a table, a footnote-free paragraph with formatting."""
    import docx as python_docx

    made = python_docx.Document()
    made.core_properties.title, made.core_properties.author = "Pumps", "Ann"
    made.add_heading("Pumps", 1)
    made.add_paragraph(PROSE).add_run(" Bold.").bold = True
    made.add_paragraph("one", style="List Bullet")
    table = made.add_table(2, 2)
    for number, cell in enumerate(cell for row in table.rows for cell in row.cells):
        cell.text = f"cell {number}"
    return _saved(made.save)


def pptx() -> bytes:
    """A slide with a title, a table, a group and notes."""
    from pptx import Presentation
    from pptx.util import Inches

    made = Presentation()
    slide = made.slides.add_slide(made.slide_layouts[5])
    slide.shapes.title.text = "Sales"
    size = [Inches(n) for n in (1, 1, 4, 1)]
    table = slide.shapes.add_table(2, 2, *size).table
    for number in range(4):
        table.cell(number // 2, number % 2).text = f"cell {number}"
    slide.shapes.add_group_shape().shapes.add_textbox(*size).text_frame.text = PROSE
    slide.notes_slide.notes_text_frame.text = "Say why."
    return _saved(made.save)


def xlsx() -> bytes:
    """Two sheets with text, numbers, dates, a formula, a format and a merged cell."""
    from openpyxl import Workbook

    made = Workbook()
    sheet = made.active
    for row in (["Name", "Rate", "Day"], ["a", 0.25, datetime(2025, 1, 2)], ["b", "=B2*2", None]):
        sheet.append(row)
    sheet["B2"].number_format = "0.00%"
    sheet.merge_cells("A5:C5")
    sheet["A5"] = PROSE
    made.create_sheet("Second").append(["x"])
    return _with_shared_strings(ZIP.unpack(_saved(made.save)))


def _with_shared_strings(parts: dict[str, bytes]) -> bytes:
    """The workbook with a table of strings, which Excel writes and openpyxl may not."""
    kind = b"spreadsheetml.sharedStrings+xml"
    types = (
        b'<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.' + kind
    )
    relation = b'<Relationship Id="shared" Target="/xl/sharedStrings.xml" Type="http://schemas.openxmlformats.org/'
    relation += b'officeDocument/2006/relationships/sharedStrings"/>'
    space = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    changes = (
        ("[Content_Types].xml", b"</Types>", types + b'"/>'),
        ("xl/_rels/workbook.xml.rels", b"</Relationships>", relation),
    )
    for name, end, new in changes:
        parts[name] = parts[name].replace(end, new + end)
    return ZIP.pack({**parts, "xl/sharedStrings.xml": space + b"<si><t>shared</t></si></sst>"})


def pdf() -> bytes:
    """Two pages with a heading, paragraphs and a table, not compressed."""
    from fpdf import FPDF

    made = FPDF()
    made.set_compression(False)
    for page in range(2):
        made.add_page()
        made.set_font("Helvetica", "B", 18)
        made.text(20, 20, f"Chapter {page}")
        made.set_font("Helvetica", "", 11)
        for row in range(5):
            made.text(20, 40 + 5 * row, PROSE)
            for column in range(3):
                made.text(20 + 40 * column, 90 + 6 * row, f"cell {row} {column}")
    return bytes(made.output())


def odt() -> bytes:
    """A heading, paragraphs with spans and spaces, a list and a table."""
    names = " ".join(f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in ("office", "text", "table"))
    cell = "<table:table-cell><text:p>1</text:p></table:table-cell>"
    body = (
        '<text:h text:outline-level="2">Costs</text:h><text:p>They<text:s text:c="2"/>rose <text:span>a lot</text:span>.'
        f"</text:p><text:list><text:list-item><text:p>one</text:p></text:list-item></text:list><table:table>"
        f'<table:table-row table:number-rows-repeated="2">{cell}{cell}</table:table-row></table:table>'
    )
    content = f"<office:document {names}><office:body><office:text>{body}</office:text></office:body></office:document>"
    return ZIP.pack({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": content.encode()})


def epub() -> bytes:
    """A book of two chapters."""
    package = (
        '<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>The book</dc:title></metadata>'
        '<manifest><item id="a" href="a.xhtml"/><item id="b" href="b.xhtml"/></manifest>'
        '<spine><itemref idref="a"/><itemref idref="b"/></spine></package>'
    )
    chapter = f"<html><body><h1>One</h1><p>{PROSE}</p><ul><li>x</li></ul></body></html>"
    return ZIP.pack(
        {
            "META-INF/container.xml": b'<container><rootfile full-path="p.opf"/></container>',
            "p.opf": package.encode(),
            "a.xhtml": chapter.encode(),
            "b.xhtml": chapter.replace("One", "Two").encode(),
        }
    )


HTML = (
    f'<html><head><title>Pumps</title><meta name="author" content="Ann"></head><body><article><h1>Pumps</h1><p>{PROSE}'
    f' <b>Bold</b> <a href="x">link</a> <span style="font:12px Arial">s</span></p><ul><li>one<li>two</ul><pre>x = 1\n'
    f"y</pre><table><tr><th colspan=2>A<tr><td rowspan=2>1<td>2<tr><td>3</table><p>{PROSE}</p></article></body></html>"
).encode()
MARKDOWN = (
    f'---\ntitle: "Pumps"\nauthor: Ann\n---\n# Pumps\n\n{PROSE} *em* **b** `code` [a](b "c") ![i](j) <b>x</b>\n\n> quote\n'
    "\n- one\n  1. two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```py\nx\n```\n\nSetext\n===\n\n[a]: http://b 'c'\n"
).encode()
MAIL = (
    "From: Ann <ann@example.com>\nTo: Bob <bob@example.com>, c@d\nSubject: =?utf-8?q?P=C3=BCmps?=\nDate: Mon, 3 Feb 2025 "
    f'10:00:00 +0100\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain; '
    f'charset="utf-8"\nContent-Transfer-Encoding: quoted-printable\n\n{PROSE}=\n=C3=A9\n--b\nContent-Type: text/html\n\n'
    f"<p>{PROSE}</p>\n--b\nContent-Disposition: attachment; filename*0*=utf-8''a; filename*1=b.txt\n\nx\n--b--\n"
).encode()
RTF = (
    rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\info{\title Pumps}}\f0 Gr\'f6\'dfe \u21521?.\par \trowd a\cell b"
    rb"\cell\row\trowd 1\cell 2\cell\row\pard {\b Zwei} {\field{\*\fldinst HYPERLINK}{\fldrslt x}}.}"
)
CSV = b'Name;Rate;"Day; or night"\na;1,5;x\n"b ""q""";2;y\n;;\n'
TSV = CSV.replace(b";", b"\t")
JSON = (
    b'[{"_id": "1", "title": "Pumps", "text": "The pump runs.", "metadata": {"year": 2025, "tags": ["a", "b"]}},'
    b' {"id": 2, "body": "More text \\u00e9 \\ud83d\\ude00", "price": 1.5e3, "ok": true}, "text"]'
)
JSON_LINES = b'{"_id": "1", "text": "The pump runs.", "n": 1}\n{"name": "b", "abstract": "More."}\n"text"\n'
TEXT = f"Pumps\n\n{PROSE}\n\nGr\u00f6\u00dfe \u00e2\u20ac\u2122s \u200b \u4e2d\u6587\n".encode()

# By the suffix of their reader.
FILES: dict[str, Callable[[], bytes]] = {
    ".txt": lambda: TEXT,
    ".md": lambda: MARKDOWN,
    ".html": lambda: HTML,
    ".pdf": pdf,
    ".docx": docx,
    ".pptx": pptx,
    ".xlsx": xlsx,
    ".csv": lambda: CSV,
    ".tsv": lambda: TSV,
    ".eml": lambda: MAIL,
    ".odt": odt,
    ".epub": epub,
    ".rtf": lambda: RTF,
    ".json": lambda: JSON,
    ".jsonl": lambda: JSON_LINES,
    **formats.FILES,
}
