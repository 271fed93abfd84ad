"""Documents that are small on disk or simple in structure, and expensive for a careless reader."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from fuzz.containers import ZIP
from fuzz.seeds import formats, valid

Attack = Callable[[], bytes]


def _office(file: Callable[[], bytes], member: str, old: bytes, new: Callable[[], bytes]) -> Attack:
    """``file`` with the first ``old`` in ``member`` replaced."""

    def build() -> bytes:
        parts = ZIP.unpack(file())
        assert old in parts[member], f"{member} has no {old!r}"
        return ZIP.pack({**parts, member: parts[member].replace(old, new(), 1)})

    return build


def _bytes(start: bytes, piece: bytes, times: int, end: bytes = b"") -> Attack:
    return lambda: start + piece * times + end


def _nested(start: bytes, opening: bytes, closing: bytes, times: int, end: bytes = b"") -> Attack:
    return lambda: start + opening * times + b"a" + closing * times + end


def pdf_with(content: bytes, *objects: bytes, kids: bytes = b"3 0 R", resources: bytes = b"/Fm0 5 0 R") -> bytes:
    """A PDF of one page; ``objects`` are numbered from 5."""
    listed = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [" + kids + b"] /Count %d >>" % kids.count(b"R"),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << /XObject << " + resources
        + b" >> /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        content if content.startswith(b"<<") else b"<< /Length %d >>\nstream\n" % len(content) + content + b"\nendstream",
        *objects,
    ]  # fmt: skip
    body = b"%PDF-1.7\n"
    offsets = []
    for number, one in enumerate(listed, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n" % number + one + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return (
        body
        + b"xref\n0 %d\n0000000000 65535 f \n" % (len(listed) + 1)
        + table
        + (b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(listed) + 1, len(body)))
    )


def form(content: bytes, draws: bytes) -> bytes:
    """A form XObject that can draw others by name."""
    head = (
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources << /XObject << %s >> /Font << /F1 << " % draws
    )
    head += b"/Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> /Length %d >>" % len(content)
    return head + b"\nstream\n" + content + b"\nendstream"


_LINE = b"BT /F1 11 Tf 50 700 Td (The pump runs at forty bar.) Tj ET "


def _doubling(depth: int) -> bytes:
    """Each form draws the next one twice."""
    forms = [form(b"/N Do /N Do ", b"/N %d 0 R" % (6 + number)) for number in range(depth)]
    return pdf_with(_LINE + b"/Fm0 Do ", *forms, form(_LINE, b""))


def _flate(content: bytes) -> bytes:
    packed = zlib.compress(content, 9)
    return b"<< /Filter /FlateDecode /Length %d >>\nstream\n" % len(packed) + packed + b"\nendstream"


def _same_place(times: int) -> bytes:
    return b"BT /F1 9 Tf 50 700 Td " + b"(a) Tj 0 0 Td " * times + b"ET"


def _scattered(times: int) -> bytes:
    return (
        b"BT /F1 4 Tf "
        + b"".join(b"1 0 0 1 %d %d Tm (a) Tj " % (n * 7 % 590, n * 13 % 790) for n in range(times))
        + b"ET"
    )


def _strokes(times: int) -> bytes:
    return _LINE + b"".join(
        b"%d %d m %d %d l S " % (n % 500, n * 7 % 700, n % 500 + 50, n * 7 % 700) for n in range(times)
    )


PDF = {
    "form draws itself": lambda: pdf_with(_LINE + b"/Fm0 Do ", form(_LINE + b"/Fm0 Do ", b"/Fm0 5 0 R")),
    "two forms draw each other": lambda: pdf_with(
        _LINE + b"/Fm0 Do ", form(b"/N Do /N Do ", b"/N 6 0 R"), form(b"/N Do /N Do ", b"/N 5 0 R")
    ),
    "forms that double": lambda: _doubling(24),
    "one form drawn 20,000 times": lambda: pdf_with(b"/Fm0 Do " * 20_000, form(_LINE * 20, b"")),
    "one page 5,000 times": lambda: pdf_with(_LINE * 40, kids=b"3 0 R " * 5_000),
    "page tree in a circle": lambda: pdf_with(_LINE, kids=b"2 0 R 3 0 R"),
    "flate bomb": lambda: pdf_with(_flate(_LINE + b" " * 200_000_000)),
    "flate bomb of text": lambda: pdf_with(_flate(_same_place(1_000_000))),
    "characters in one place": lambda: pdf_with(_same_place(40_000)),
    "scattered characters": lambda: pdf_with(_scattered(20_000)),
    "strokes": lambda: pdf_with(_strokes(20_000)),
    "huge page": lambda: pdf_with(_LINE).replace(b"[0 0 600 800]", b"[0 0 6e9 8e9]"),
    "nested arrays": lambda: pdf_with(_LINE + b"[" * 100_000),
    "saved states": lambda: pdf_with(b"q " * 200_000 + _LINE),
}
_TEXT = f"<p>{valid.PROSE}</p>".encode()
HTML = {
    "font in font": _bytes(b'<p style="', b"font:", 20_000, b'">a</p>' + _TEXT),
    "many styles": _bytes(b"", b'<p style="font:font:a">a</p>', 10_000),
    "nested spans": _nested(b"<p>", b"<span>", b"</span>", 100_000),
    "nested divs": _nested(b"<body>", b"<div>", b"</div>", 100_000),
    "nested tables": _nested(b"<body>", b"<table><tr><td>", b"</table>", 2_000),
    "nested lists": _nested(b"<body>", b"<ul><li>", b"</ul>", 5_000),
    "nested bold": _nested(b"<p>", b"<b><i>", b"", 20_000),
    "wide cell": lambda: b"<table>" + b"<tr><td colspan=1000000 rowspan=1000000>a<td>b" * 20 + b"</table>",
    "attributes": lambda: b"<p " + b" ".join(b"a%d=1" % n for n in range(50_000)) + b">" + _TEXT,
    "breaks": _bytes(b"<p>a", b"<br>", 200_000),
    "empty paragraphs": _bytes(b"", b"<p></p>", 200_000, _TEXT),
    "spaces": _bytes(b"<p>a", b" ", 2_000_000, b"b</p>"),
    "entities": _bytes(b"<p>", b"&#x200b;", 100_000, b"a</p>"),
    "list items": _bytes(b"<ul>", b"<li>a", 100_000),
    "ragged table": lambda: b"<table><tr>" + b"<td>a" * 5_000 + b"<tr><td>b" * 5_000 + b"</table>",
    "unclosed": _bytes(b"", b"<a b=", 100_000),
    "comments": _bytes(b"", b"<!--", 100_000),
    "text elements": _bytes(b"<p>", b"a<b>b</b>", 100_000),
}
MARKDOWN = {
    "front matter with spaces": lambda: b"---\na:" + b" " * 100_000 + b"\n---\ntext",
    "front matter with spaces in a value": lambda: b"---\na: b" + b" " * 50_000 + b"c[\n---\ntext",
    "front matter without an end": _bytes(b"---\n", b"---", 200_000),
    "front matter of words": _bytes(b"---\n", b"a" * 100, 2_000, b"\n---\n"),
    "data address without an end": _bytes(b"", b"data:a/", 50_000),
    "data address": _bytes(b"data:", b"a+", 100_000),
    "quotes": _bytes(b"", b">", 50_000, b"a"),
    "lists": _bytes(b"", b"- ", 5_000, b"a"),
    "brackets": _bytes(b"", b"[", 50_000),
    "images": _bytes(b"", b"![", 50_000, b"a"),
    "links": _bytes(b"", b"[a](", 20_000),
    "backticks": lambda: b" ".join(b"`" * n for n in range(1, 1_000)),
    "emphasis": _bytes(b"", b"*a_ ", 20_000),
    "stars": _bytes(b"", b"a**b", 20_000),
    "table": lambda: b"|a" * 5_000 + b"\n" + b"|-" * 5_000 + b"\n" + b"|b\n" * 5_000,
    "references": lambda: b"".join(b"[%d]: a\n" % n for n in range(20_000)),
    "less than": _bytes(b"", b"<", 100_000),
    "declarations": _bytes(b"", b"<!A ", 50_000),
    "nested list": lambda: b"".join(b" " * 2 * n + b"- a\n" for n in range(400)),
    "spaces": _bytes(b"a", b" ", 500_000, b"b"),
}
_MAIL_HEAD = b"From: a@b\nSubject: s\n"
MAIL = {
    "headers": lambda: _MAIL_HEAD + b"".join(b"X-%d: a\n" % n for n in range(100_000)) + b"\ntext",
    "same header": _bytes(_MAIL_HEAD, b"To: a@b\n", 100_000, b"\ntext"),
    "recipients": _bytes(b"From: a@b\nTo: ", b"a@b, ", 50_000, b"c@d\n\ntext"),
    "comments": _bytes(b"From: a@b\nTo: ", b"(", 20_000, b"\n\ntext"),
    "quoted": _bytes(b"From: a@b\nTo: ", b'"', 20_000, b"\n\ntext"),
    "encoded words": _bytes(b"From: a@b\nSubject: ", b"=?utf-8?q?a?= ", 20_000, b"\n\ntext"),
    "encoded words without spaces": _bytes(b"From: a@b\nSubject: ", b"=?utf-8?q?a?=", 20_000, b"\n\ntext"),
    "half encoded words": _bytes(b"From: a@b\nSubject: ", b"=?", 20_000, b"\n\ntext"),
    "spaces": _bytes(b"From: a@b\nSubject: a", b" ", 200_000, b"b\n\ntext"),
    "folded": _bytes(b"From: a@b\nSubject: a", b"\n ", 100_000, b"b\n\ntext"),
    "date": _bytes(b"From: a@b\nDate: ", b"1 ", 50_000, b"\n\ntext"),
    "domain": _bytes(b"From: a@", b"b.", 20_000, b"\n\ntext"),
    "group": _bytes(b"From: a@b\nTo: ", b"a:", 20_000, b"\n\ntext"),
    "parameters": lambda: _MAIL_HEAD + b"Content-Type: text/plain; " + b"; ".join(
        b"a*%d*=b" % n for n in range(20_000)) + b"\n\ntext",
    "nested parts": lambda: _MAIL_HEAD + b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(2_000)) + b"\ntext",
    "parts": lambda: _MAIL_HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\na\n" * 50_000,
    "attachments": lambda: _MAIL_HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + (
        b"--b\nContent-Disposition: attachment; filename=a\n\na\n") * 20_000,
    "soft breaks": lambda: _MAIL_HEAD + b"Content-Transfer-Encoding: quoted-printable\n\n" + b"=\n" * 300_000 + b"a",
    "html": lambda: _MAIL_HEAD + b"Content-Type: text/html\n\n" + b"<span>" * 100_000 + b"a",
}  # fmt: skip
TABLE = {
    "ragged": lambda: b"a," * 20_000 + b"\n" + b"b\n" * 20_000,
    "ragged at the end": lambda: b"b,c\n" * 20_000 + b"a," * 20_000 + b"\n",
    "one column": _bytes(b"", b"a\n", 200_000),
    "quotes": _bytes(b'"', b'""', 500_000),
    "open quote": _bytes(b'a,"', b"b\n", 400_000),
    "wide": _bytes(b"", b"a,", 300_000, b"\n1,2"),
    "empty": _bytes(b"a", b",", 1_000_000, b"\nb"),
    "signs": lambda: b"a," + b"$" * 100_000 + b"\nb," + b"(" * 100_000 + b"\n",
    "digits": lambda: b"a,b\n" + b"1" * 100_000 + b"x," + b"1." * 50_000 + b"x\n",
    "bars": _bytes(b"a,b\n", b"|", 500_000, b",c\n"),
    "pages": _bytes(b"a,b\n", b"<p>a</p>,<b>c</b>\n", 5_000),
    "deep pages": lambda: b"a,b\n" + (b"<div>" * 1_000 + b"</div>,c\n") * 20,
}
JSON = {
    "nested arrays": _bytes(b"", b"[", 200_000),
    "nested objects": _bytes(b"", b'{"a":', 200_000),
    "long number": _bytes(b'{"text": "a", "n": ', b"1", 1_000_000, b"}"),
    "many records": lambda: b"[" + b",".join([b'{"text":"a"}'] * 50_000) + b"]",
    "many fields": lambda: b'{"text": "a"' + b"".join(b', "a%d": 1' % n for n in range(100_000)) + b"}",
    "long list": lambda: b'{"text": "a", "tags": [' + b",".join([b'"a"'] * 300_000) + b"]}",
    "nested metadata": _nested(b'{"text": "a", "metadata":', b'{"metadata":', b"}", 900, b"}"),
    "surrogates": _bytes(b'{"text": "', b"\\ud800", 200_000, b'"}'),
    "spaces": _bytes(b'{"text": "a', b" ", 1_000_000, b'b"}'),
    "line breaks": _bytes(b'{"text": "a', b"\\n", 500_000, b'b"}'),
    "code of pages": _bytes(b'{"text": "<p></p>', b"<![CDATA[", 100_000, b'"}'),
    "rich text": lambda: b'{"text": [' + b'{"type":"doc","content":[' * 200 + b'{"x":"a b"}' + b"]}" * 200 + b"]}",
    "runs": lambda: b'{"type":"doc","content":[' + b",".join([b'{"type":"text","text":"a"}'] * 50_000) + b"]}",
}
JSON_LINES = {
    "empty lines": _bytes(b'{"text": "a"}', b"\n", 1_000_000),
    "damaged lines": _bytes(b'{"text": "a"}\n', b"{\n", 50_000),
    "records": _bytes(b"", b'{"text":"a"}\n', 50_000),
    "nested": lambda: (b"[" * 20_000 + b"\n") * 20 + b'{"text": "a"}\n',
}
RTF = {
    "groups": _nested(b"{\\rtf1 ", b"{", b"}", 100_000, b"}"),
    "open groups": _bytes(b"{\\rtf1 a", b"{", 200_000),
    "paragraphs": _bytes(b"{\\rtf1 a", b"\\par ", 100_000, b"b}"),
    "cells": _bytes(b"{\\rtf1 \\trowd ", b"a\\cell ", 50_000, b"\\row b}"),
    "ragged rows": lambda: (
        b"{\\rtf1 \\trowd " + b"a\\cell " * 5_000 + b"\\row " + b"\\trowd a\\cell\\row " * 5_000 + b"}"
    ),
    "escapes": _bytes(b"{\\rtf1 ", b"\\'e9", 100_000, b"}"),
    "unicode": _bytes(b"{\\rtf1 ", b"\\u-10179?\\u-8704?", 50_000, b"}"),
    "backslashes": _bytes(b"{\\rtf1 ", b"\\", 200_000, b"}"),
    "skips": _bytes(b"{\\rtf1 ", b"\\uc1000000 \\u1 ", 20_000, b"a}"),
    "fonts": lambda: b"{\\rtf1{\\fonttbl" + b"".join(b"{\\f%d a;}" % n for n in range(20_000)) + b"}a}",
}
TEXT = {
    "spaces": _bytes(b"a", b" ", 2_000_000, b"b"),
    "line breaks": _bytes(b"a", b"\n", 1_000_000, b"b"),
    "blank lines": _bytes(b"a", b"\n \t", 300_000, b"b"),
    "zero width": _bytes(b"a", b"\xe2\x80\x8b", 300_000, b"b"),
    "zero width words": _bytes(b"a", b" \xe2\x80\x8b", 200_000, b"b"),
    "accents": _bytes(b"a", b"\xcc\x81", 300_000, b"b"),
    "one word": _bytes(b"", b"a", 1_000_000),
    "one word without an end": _bytes(b"", b"a-", 500_000),
    "short lines": _bytes(b"", b"a\n\n", 200_000),
    "sentences": _bytes(b"", b"A. ", 200_000),
    "mojibake": _bytes(b"", "â€™".encode(), 100_000),
    "latin": _bytes(b"", b"Gr\xf6\xdfe ", 200_000),
    "no encoding": lambda: bytes(range(0x80, 0x100)) * 4_000,
    "UTF-16 without a mark": lambda: "The pump runs. ".encode("utf-16-le") * 30_000,
    "nul": _bytes(b"a", b"\0", 500_000),
    "ideographs": _bytes(b"", "中".encode(), 300_000),
    "private use": _bytes(b"", "\ue000".encode(), 300_000),
    "right to left marks": _bytes(b"a", "\u202e".encode(), 300_000),
}


def _paragraphs(piece: bytes, times: int) -> Attack:
    return _office(valid.docx, "word/document.xml", b"<w:body>", lambda: b"<w:body>" + piece * times)


def _nested_office(
    file: Callable[[], bytes], member: str, mark: bytes, opening: bytes, closing: bytes, times: int
) -> Attack:
    return _office(file, member, mark, lambda: mark + opening * times + closing * times)


DOCX = {
    "empty paragraphs": _paragraphs(b"<w:p/>", 1_000_000),
    "unknown elements": _paragraphs(b"<w:x/>", 1_000_000),
    "runs": _paragraphs(b"<w:p>" + b"<w:r><w:t>a</w:t></w:r>" * 1_000 + b"</w:p>", 40),
    "nested tables": _nested_office(
        valid.docx, "word/document.xml", b"<w:body>", b"<w:tbl><w:tr><w:tc>", b"<w:p/></w:tc></w:tr></w:tbl>", 200
    ),
    "nested elements": _nested_office(valid.docx, "word/document.xml", b"<w:body>", b"<w:sdt>", b"</w:sdt>", 200),
    "wide cells": _paragraphs(
        b'<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val="100000000"/></w:tcPr><w:p/></w:tc></w:tr></w:tbl>', 5
    ),
    "merged cells": _paragraphs(
        b"<w:tbl>" + b'<w:tr><w:tc><w:tcPr><w:vMerge/></w:tcPr><w:p/></w:tc></w:tr>' * 5_000 + b"</w:tbl>", 1
    ),
    "breaks": _paragraphs(b"<w:p><w:r><w:t>a</w:t>" + b"<w:br/>" * 200_000 + b"</w:r></w:p>", 1),
    "styles": _office(
        valid.docx, "word/styles.xml", b"</w:styles>",
        lambda: b"".join(b'<w:style w:type="paragraph" w:styleId="s%d"/>' % n for n in range(100_000)) + b"</w:styles>",
    ),
    "spaces": _paragraphs(b"<w:p><w:r><w:t>a" + b" " * 1_000_000 + b"b</w:t></w:r></w:p>", 1),
    "entities": lambda: ZIP.pack({**ZIP.unpack(valid.docx()), "word/document.xml": _entities()}),
}  # fmt: skip


def _entities() -> bytes:
    names = b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10 if n else b"a" * 10) for n in range(10))
    space = b'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    return (
        b"<!DOCTYPE w:document ["
        + names
        + b"]><w:document "
        + space
        + (b"><w:body><w:p><w:r><w:t>&e9;</w:t></w:r></w:p></w:body></w:document>")
    )


_SHEET = "xl/worksheets/sheet1.xml"
_REFERENCES = b'<c t="s"><v>0</v></c>' * 100
XLSX = {
    "styles": _office(
        valid.xlsx, "xl/styles.xml", b"</cellXfs>", lambda: b'<xf numFmtId="0" fontId="0"/>' * 300_000 + b"</cellXfs>"
    ),
    "fonts": _office(valid.xlsx, "xl/styles.xml", b"</fonts>", lambda: b"<font><b/><i/></font>" * 100_000 + b"</fonts>"),
    "one long string 100,000 times": lambda: ZIP.pack({
        **(parts := ZIP.unpack(valid.xlsx())),
        "xl/sharedStrings.xml": b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>'
        + b"The pump runs. " * 2_000 + b"</t></si></sst>",
        _SHEET: parts[_SHEET].replace(b"<sheetData>", b"<sheetData>" + (b"<row>" + _REFERENCES + b"</row>") * 1_000),
    }),
    "shared strings": _office(
        valid.xlsx, "xl/sharedStrings.xml", b"</sst>", lambda: b"<si><t>a</t></si>" * 300_000 + b"</sst>"
    ),
    "empty rows": _office(valid.xlsx, _SHEET, b"<sheetData>", lambda: b"<sheetData>" + b"<row/>" * 500_000),
    "far cells": _office(
        valid.xlsx, _SHEET, b"<sheetData>",
        lambda: b"<sheetData>" + b"".join(b'<row r="%d"><c r="XFD%d"><v>1</v></c></row>' % (n, n) for n in range(1, 3_000)),
    ),
    "far row": _office(
        valid.xlsx, _SHEET, b"</sheetData>", lambda: b'<row r="1048576"><c r="A1048576"><v>1</v></c></row></sheetData>'
    ),
    "wide sheet": _office(
        valid.xlsx, _SHEET, b"</sheetData>",
        lambda: b'<row r="50000"><c r="XFD50000"><v>1</v></c></row></sheetData>',
    ),
    "merged": _office(
        valid.xlsx, _SHEET, b"</mergeCells>", lambda: b'<mergeCell ref="A1:XFD1048576"/>' * 1_000 + b"</mergeCells>"
    ),
    "formats": _office(
        valid.xlsx, "xl/styles.xml", b"<numFmts",
        lambda: b"<numFmts count='1'>" + b'<numFmt numFmtId="200" formatCode="' + b"[" * 50_000 + b'"/></numFmts><numFmts',
    ),
    "names": _office(
        valid.xlsx, "xl/workbook.xml", b"</workbook>",
        lambda: b"<definedNames>" + b'<definedName name="a">Sheet!$A$1</definedName>' * 100_000 + b"</definedNames></workbook>",
    ),
    "rich string": _office(
        valid.xlsx, "xl/sharedStrings.xml", b"</sst>", lambda: b"<si>" + b"<r><t>a</t></r>" * 200_000 + b"</si></sst>"
    ),
    "long number": _office(
        valid.xlsx, _SHEET, b"<sheetData>", lambda: b"<sheetData><row><c><v>" + b"1" * 1_000_000 + b"</v></c></row>"
    ),
}  # fmt: skip
_SLIDE = "ppt/slides/slide1.xml"
PPTX = {
    "nested groups": _nested_office(
        valid.pptx, _SLIDE, b"</p:grpSpPr>", b"<p:grpSp><p:nvGrpSpPr/><p:grpSpPr/>", b"</p:grpSp>", 120
    ),
    "shapes": _office(
        valid.pptx, _SLIDE, b"</p:grpSpPr>",
        lambda: b"</p:grpSpPr>" + b"<p:sp><p:nvSpPr/><p:spPr/><p:txBody><a:p><a:r><a:t>a</a:t></a:r></a:p></p:txBody></p:sp>" * 20_000,
    ),
    "paragraphs": _office(valid.pptx, _SLIDE, b"<a:p>", lambda: b"<a:p/>" * 300_000 + b"<a:p>"),
    "same slide": _office(
        valid.pptx, "ppt/presentation.xml", b"</p:sldIdLst>", lambda: b'<p:sldId id="256" r:id="rId7"/>' * 20_000 + b"</p:sldIdLst>"
    ),
    "relations": _office(
        valid.pptx, "ppt/_rels/presentation.xml.rels", b"</Relationships>",
        lambda: b"".join(b'<Relationship Id="x%d" Type="a" Target="slides/slide1.xml"/>' % n for n in range(50_000)) + b"</Relationships>",
    ),
    "columns": _office(valid.pptx, _SLIDE, b"</a:tr>", lambda: b"<a:tc><a:txBody><a:p/></a:txBody></a:tc>" * 50_000 + b"</a:tr>"),
}  # fmt: skip
_BODY = b"<office:text>"


def _odt(piece: Callable[[], bytes]) -> Attack:
    return _office(valid.odt, "content.xml", _BODY, lambda: _BODY + piece())


ODT = {
    "spaces": _odt(lambda: b'<text:p>a<text:s text:c="2000000000"/>b</text:p>'),
    "many spaces": _odt(lambda: b"<text:p>a" + b'<text:s text:c="10000"/>' * 50_000 + b"b</text:p>"),
    "nested spans": _odt(lambda: b"<text:p>" + b"<text:span>" * 200 + b"a" + b"</text:span>" * 200 + b"</text:p>"),
    "spans beside spans": _odt(lambda: b"<text:p>" + b"<text:span>a</text:span>" * 200_000 + b"</text:p>"),
    "repeated columns": _odt(
        lambda: b'<table:table><table:table-row table:number-rows-repeated="1000000"><table:table-cell '
        b'table:number-columns-repeated="1000000"><text:p>a</text:p></table:table-cell></table:table-row></table:table>'
    ),
    "nested lists": _odt(lambda: b"<text:list><text:list-item>" * 100 + b"<text:p>a</text:p>" + b"</text:list-item></text:list>" * 100),
    "nested tables": _odt(
        lambda: b"<table:table><table:table-row><table:table-cell>" * 80 + b"<text:p>a</text:p>"
        + b"</table:table-cell></table:table-row></table:table>" * 80
    ),
    "empty paragraphs": _odt(lambda: b"<text:p/>" * 1_000_000),
    "ragged table": _odt(
        lambda: b"<table:table><table:table-row>" + b"<table:table-cell><text:p>a</text:p></table:table-cell>" * 10_000
        + b"</table:table-row>" + b"<table:table-row><table:table-cell><text:p>a</text:p></table:table-cell></table:table-row>" * 10_000
        + b"</table:table>"
    ),
}  # fmt: skip
EPUB = {
    "one chapter 20,000 times": _office(
        valid.epub, "p.opf", b"</spine>", lambda: b'<itemref idref="a"/>' * 20_000 + b"</spine>"
    ),
    "large chapter 2,000 times": lambda: ZIP.pack({
        **(parts := ZIP.unpack(valid.epub())),
        "a.xhtml": parts["a.xhtml"].replace(b"<h1>", b"<p>The pump runs.</p>" * 5_000 + b"<h1>"),
        "p.opf": parts["p.opf"].replace(b"</spine>", b'<itemref idref="a"/>' * 2_000 + b"</spine>"),
    }),
    "items": _office(
        valid.epub, "p.opf", b"</manifest>",
        lambda: b"".join(b'<item id="x%d" href="a.xhtml"/>' % n for n in range(50_000)) + b"</manifest>",
    ),
    "nested spans": _office(valid.epub, "a.xhtml", b"<h1>", lambda: b"<span>" * 50_000 + b"<h1>"),
    "package names itself": _office(valid.epub, "p.opf", b"a.xhtml", lambda: b"p.opf"),
    "long path": _office(valid.epub, "p.opf", b"a.xhtml", lambda: b"../" * 100_000 + b"a.xhtml"),
}  # fmt: skip

ATTACKS: dict[str, dict[str, Attack]] = {
    ".txt": TEXT,
    ".md": MARKDOWN,
    ".html": HTML,
    ".pdf": PDF,
    ".docx": DOCX,
    ".pptx": PPTX,
    ".xlsx": XLSX,
    ".csv": TABLE,
    ".tsv": {name: (lambda build=build: build().replace(b",", b"\t")) for name, build in TABLE.items()},
    ".eml": MAIL,
    ".odt": ODT,
    ".epub": EPUB,
    ".rtf": RTF,
    ".json": JSON,
    ".jsonl": JSON_LINES,
    **formats.ATTACKS,
}
