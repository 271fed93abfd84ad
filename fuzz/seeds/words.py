"""Sequences with a meaning in each format, for mutations and repetitions."""

from __future__ import annotations

from fuzz.seeds import formats

_XML = (b"<a>", b"</a>", b"<!--", b"-->", b"<![CDATA[", b"&#65;", b"&amp;", b"<?x ?>", b' xmlns:a="b"', b"<a/>")
_HTML = (
    *_XML, b"<div>", b"<span>", b"<p>", b"<table>", b"<tr>", b"<td colspan=1000000>", b"<td rowspan=1000000>", b"<li>",
    b"<ul>", b"<br>", b"<pre>", b"<b>", b"<h1>", b"<a href=x>", b' style="font:font:"', b' style="font:', b"<script>",
    b"<template>", b"<svg>", b"<math>", b"<select>", b"<form>", b"<nobr>", b" class=a", b"&nbsp;", b"<img alt=x>",
    b"<blockquote>", b"<dl><dt>", b"<dd>", b"<sup>", b"<q>",
)  # fmt: skip
_SPACES = (
    b" ", b"\n", b"\t", b"\r", b"\n\n", b"\n ", b"\xc2\xa0", b"\xe2\x80\x8b", b"\xef\xbb\xbf", b"\0", b"\x0c", b"\xe2\x80\xa8",
    b"\xc2\xad", b"a", b"a ", b"a. ", b"-", b".", b"\xcc\x81", b"\xe4\xb8\xad", b"\xf0\x9f\x98\x80", b"\xff", b"\xe2\x80\x99",
    b"\xc3\xa2\xe2\x82\xac\xe2\x84\xa2", b"\x81", b"1 ",
)  # fmt: skip
_MARKDOWN = (
    b"> ", b"- ", b"* ", b"1. ", b"[", b"![", b"](", b"[a](b)", b"`", b"``", b"*a_ ", b"**", b"_", b"<", b"<a", b"|", b"| a ",
    b"|-", b"\\", b"#", b"~~~\n", b"=", b"    ", b"[a]: b\n", b"---\n", b"&", b"<!", b"a**", b"[a][", b"\"", b"'", b"(", b"a: ",
    b"data:image/png;base64,", b"title: a", b"a:  ",
)  # fmt: skip
_MAIL = (
    b"To: a@b\n", b"a@b, ", b"(", b")", b"=?utf-8?q?a?= ", b"=?utf-8?b?YQ==?=", b"--b\n", b"=\n", b"=41", b";", b" a=b;", b"\"", b",",
    b"<", b">", b"Content-Type: multipart/mixed; boundary=b\n\n", b"Content-Type: message/rfc822\n\n", b" filename*0*=a;", b"\n ",
    b"Subject: a\n", b"a:", b"@", b".", b"[", b"begin 644 a\n", b"Content-Type: text/html\n\n", b"Date: ",
)  # fmt: skip
_PDF = (
    b"/Fm0 Do ", b"q ", b"Q ", b"BT ", b"ET ", b"(a) Tj ", b"0 0 Td ", b"1 0 R ", b"<<", b">>", b"[", b"]", b"(", b")", b"/Kids ",
    b"/Parent 1 0 R ", b"0 0 1 1 re ", b"0 0 m ", b"1 1 l ", b"S ", b"/F1 1 Tf ", b"1 0 0 1 0 0 cm ", b"/Type /Page ", b"endobj\n",
    b"1 0 obj\n", b"stream\n", b"endstream\n", b"[(a) 1 (b)] TJ ", b"/Annots ", b"/Contents ", b"/Filter /FlateDecode ", b"%%EOF\n",
    b"/Filter [/ASCIIHexDecode /ASCII85Decode /LZWDecode] ", b"/Length 999999999 ", b"-99999 ", b"BI ID EI ", b"BMC EMC ",
)  # fmt: skip
_OFFICE = (
    *_XML, b"<w:p/>", b"<w:p><w:r><w:t>a</w:t></w:r></w:p>", b"<w:tbl>", b"<w:tr>", b"<w:tc>", b"<w:r>", b"<w:t>", b"<w:br/>",
    b"<m:f>", b"<m:e>", b"<m:sSup>", b"<w:ins>", b"<w:sdt>", b"<mc:AlternateContent>", b'<w:gridSpan w:val="1000000"/>',
    b"<a:p>", b"<a:r>", b"<a:t>", b"<p:grpSp>", b"<p:sp>", b"<c>", b"<v>1</v>", b"<row>", b'<xf numFmtId="1"/>', b"<si><t>a</t></si>",
    b'<mergeCell ref="A1:XFD1048576"/>', b'<sheet name="a" sheetId="1" r:id="rId1"/>', b'<c r="XFD1"><v>1</v></c>',
    b'<numFmt numFmtId="200" formatCode="0"/>', b"<font/>", b"<fill/>", b"<Relationship/>",
)  # fmt: skip
_ODT = (
    *_XML, b"<text:span>", b"<text:p>", b'<text:s text:c="1000000"/>', b"<text:tab/>", b"<text:list>", b"<text:list-item>",
    b"<text:note>", b"<table:table>", b"<table:table-row>", b"<table:table-cell/>", b'<table:table-cell table:number-columns-repeated="99999999"/>',
    b' table:number-rows-repeated="99999999"', b"<text:h>", b"<text:section>",
)  # fmt: skip
_RTF = (
    b"{", b"}", b"\\", b"\\par ", b"\\'e9", b"\\u21521?", b"\\uc9 ", b"\\cell ", b"\\row", b"\\trowd ", b"\\bin9 ", b"{\\*\\x ", b"\\pict ",
    b"\\b0 ", b"{\\field", b"\\ansicpg932 ", b"\\f0 ", b";",
)  # fmt: skip
_TABLE = (
    b",",
    b";",
    b"\t",
    b"|",
    b'"',
    b'""',
    b"\n",
    b"\n,",
    b"a,",
    b"a\n",
    b"1,",
    b"\r",
    b" ",
    b"\0",
    b"$",
    b"(",
    b"%",
    b"'",
)
_JSON = (
    b"[", b"]", b"{", b"}", b'{"a":', b"[[", b'"a",', b"1,", b"1", b"0", b"e9", b"\\ud800", b"\\u0000", b'"', b"\\", b"null,", b"{},", b"[],", b"\n",
    b'{"text":"a"}\n', b'"a":1,', b"NaN,", b"-", b'"metadata":{"a":1},', b" ",
)  # fmt: skip

WORDS: dict[str, tuple[bytes, ...]] = {
    ".txt": _SPACES,
    ".md": (*_MARKDOWN, *_SPACES),
    ".html": (*_HTML, *_SPACES),
    ".pdf": _PDF,
    ".docx": _OFFICE,
    ".pptx": _OFFICE,
    ".xlsx": _OFFICE,
    ".csv": (*_TABLE, *_SPACES),
    ".tsv": (*_TABLE, *_SPACES),
    ".eml": (*_MAIL, *_SPACES),
    ".odt": _ODT,
    ".epub": (*_HTML, b'<itemref idref="a"/>', b'<item id="a" href="a.xhtml"/>', b"<navPoint>"),
    ".rtf": _RTF,
    ".json": (*_JSON, *_SPACES),
    ".jsonl": (*_JSON, *_SPACES),
    **formats.WORDS,
}
TEXT_WORDS = _SPACES
