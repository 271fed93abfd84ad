"""Documents that are made to exhaust memory or time: of each kind, a function that makes one in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.hostile import archives, pdfs

File = tuple[str, bytes]


def _text(name: str, content: str) -> File:
    return name, content.encode()


def _html(body: str) -> File:
    return _text("a.html", f"<html><body><p>Some text of the page.</p>{body}</body></html>")


def _nested(tag: str, depth: int) -> File:
    return _html(f"<{tag}>" * depth + "text" + f"</{tag}>" * depth)


def _mail(headers: str, body: str = "text") -> File:
    return _text("a.eml", f"From: a@example.org\nSubject: title\n{headers}\n\n{body}\n")


def _nested_mail(depth: int) -> File:
    return _mail(
        "Content-Type: message/rfc822", "From: a@example.org\nContent-Type: message/rfc822\n\n" * depth + "text"
    )


def _nested_parts(depth: int, lines: int) -> File:
    opened = "".join(f"--b{n}\nContent-Type: multipart/mixed; boundary=b{n + 1}\n\n" for n in range(depth))
    return _mail("Content-Type: multipart/mixed; boundary=b0", opened + "text\n" * lines)


def _records(record: object, count: int) -> File:
    return _text("a.jsonl", f"{json.dumps(record)}\n" * count)


def _ragged(rows: int, columns: int) -> File:
    return _text("a.csv", ",".join(map(str, range(columns))) + "\n" + "x,y\n" * rows)


def _rows_of_width_to(columns: int) -> File:
    return _text("a.csv", "".join("x," * (number % columns) + "y\n" for number in range(2 * columns)))


def _table(cell: str, rows: int, columns: int) -> File:
    row = f"<tr>{cell * columns}</tr>"
    return _html(f"<table>{row * rows}</table>")


def _chapters(repeated: int, distinct: int) -> File:
    return "a.epub", archives.epub("<html><body><p>some text</p></body></html>" * 200, repeated, distinct)


def _row(number: int, cells: str) -> str:
    return f'<row r="{number}">{cells}</row>'


def _cell(place: str, text: str = "x") -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def _wide_rows(rows: int) -> File:
    cells = "".join(_row(number, _cell(f"XFD{number}")) for number in range(1, rows + 1))
    return "a.xlsx", archives.xlsx(cells)


def _many_views(sheets: int) -> File:
    return "a.xlsx", archives.xlsx("".join(_row(n, _cell(f"CZ{n}")) for n in range(1, 2000)), sheets)


def _merged_cells(ranges: int) -> File:
    merged = '<mergeCell ref="A1:XFD1048576"/>' * ranges
    rows = _row(1, _cell("A1")) + f"</sheetData><mergeCells>{merged}</mergeCells><sheetData>"
    return "a.xlsx", archives.xlsx(rows)


def _huge_member(suffix: str, mebibytes: int) -> File:
    members = {f"word__styles_{suffix}": b"<a>" + b" " * (mebibytes * 1024**2) + b"</a>"}
    return "a.docx", archives.docx("<w:p><w:r><w:t>text</w:t></w:r></w:p>", "", **members)


def _paragraphs(count: int) -> File:
    return "a.docx", archives.docx("<w:p/>" * count + "<w:p><w:r><w:t>text</w:t></w:r></w:p>")


def _spanning_cells(span: int) -> File:
    cell = f'<w:tc><w:tcPr><w:gridSpan w:val="{span}"/><w:vMerge/></w:tcPr><w:p><w:r><w:t>x</w:t></w:r></w:p></w:tc>'
    return "a.docx", archives.docx(f"<w:tbl>{f'<w:tr>{cell * 20}</w:tr>' * 20}</w:tbl>")


def _repeated_cells(number: int) -> File:
    cell = f'<table:table-cell table:number-columns-repeated="{number}"><text:p>x</text:p></table:table-cell>'
    row = f'<table:table-row table:number-rows-repeated="{number}">{cell}{cell}</table:table-row>'
    return "a.odt", archives.odt(f"<table:table>{row * 3}</table:table><text:p>a<text:s text:c='{number}'/>b</text:p>")


def _entities() -> str:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "text"}">' for n in range(12))
    return f"<!DOCTYPE a [{entities}]>"


def _many_members(count: int) -> File:
    return "a.docx", archives.archive({f"m{number}": b"" for number in range(count)})


def _pdf(make_pdf: Callable[..., bytes], *arguments: Any) -> File:
    return "a.pdf", make_pdf(*arguments)


def _heading_and_paragraphs(heading: int, paragraphs: int) -> File:
    return _html(f"<h1>{'word ' * heading}</h1>" + "<p>text</p>" * paragraphs)


_RELATION = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_PART = (
    '<Relationship Id="x" Target="a.html" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/aFChunk"/>'
)
_REPEATED_ROWS = (
    '<table:table><table:table-row table:number-rows-repeated="1048576"><table:table-cell '
    'table:number-columns-repeated="16384"><text:p>x</text:p></table:table-cell></table:table-row></table:table>'
)

DOCUMENTS: dict[str, Callable[[], File]] = {
    # text
    "spaces": lambda: _text("a.txt", " " * 3_400_000 + "x"),
    "spaces_and_words": lambda: _text("a.txt", ("x" + " " * 50_000) * 8),
    "one_word": lambda: _text("a.txt", "x" * 200_000),
    "tiny_paragraphs": lambda: _text("a.txt", "a\n\n" * 20_000),
    "blank_lines": lambda: _text("a.txt", "a" + "\n \t" * 300_000),
    "zero_width": lambda: _text("a.txt", "a " + "\u200b" * 100_000 + " b"),
    "zero_width_words": lambda: _text("a.txt", "\u200b " * 40_000 + "b"),
    "combining_marks": lambda: _text("a.txt", "a" + "\u0301\u0327" * 100_000),
    "full_stops": lambda: _text("a.txt", "." * 100_000 + " x"),
    "sentence_ends": lambda: _text("a.txt", ". " * 20_000),
    "controls": lambda: _text("a.txt", "\x1b]0;x\x07\u202e" * 6_000),
    "undecodable": lambda: ("a.txt", bytes(range(128, 256)) * 20_000),
    "undecodable_words": lambda: ("a.txt", b"\xe4\xf6\xfc\xff \x81\x8d\x9d \xfe\xfe" * 8_000),
    "utf16_without_mark": lambda: ("a.txt", ("text " * 10_000).encode("utf-16-le")),
    "mojibake": lambda: _text("a.txt", "Ã¢â‚¬Å“Ã¤ÃƒÂ¤" * 5_000),
    # Markdown
    "front_matter_spaces": lambda: _text("a.md", f"---\ntitle: x{' ' * 60_000}y\n---\ntext\n"),
    "front_matter_quotes": lambda: _text("a.md", "---\ntitle: " + "\"'" * 60_000 + "\n---\ntext\n"),
    "front_matter_aliases": lambda: _text("a.md", "---\na: &a x\n" + "b: [*a, *a]\n" * 20_000 + "---\ntext\n"),
    "markdown_brackets": lambda: _text("a.md", "[" * 10_000),
    "markdown_emphasis": lambda: _text("a.md", "*a **a " * 6_000),
    "markdown_quotes": lambda: _text("a.md", ">" * 50_000 + "x"),
    "markdown_quoted_lines": lambda: _text("a.md", (">" * 100 + "x\n") * 600),
    "markdown_lists": lambda: _text("a.md", "".join(" " * (2 * n) + "- x\n" for n in range(500))),
    "markdown_references": lambda: _text("a.md", "[a]: b\n" * 20_000),
    "markdown_reference_titles": lambda: _text("a.md", "[a]: b '\n" * 5_000),
    "markdown_data_urls": lambda: _text("a.md", "data:" * 10_000 + "a/" * 10_000),
    "markdown_table": lambda: _text("a.md", "|a" * 2_000 + "|\n" + "|-" * 2_000 + "|\n" + "|x\n" * 2_000),
    "markdown_backticks": lambda: _text("a.md", "".join("`" * n + " " for n in range(400))),
    "markdown_html": lambda: _text("a.md", "<a " * 15_000),
    "markdown_comments": lambda: _text("a.md", "<!--" * 100_000 + "`" * 1_000 + "<!-- x -->" * 10_000),
    "front_matter": lambda: _text("a.md", "---\n" + "a:" + " x\n" * 100_000 + "---\ntext"),
    # HTML
    "style_font": lambda: _html(f'<p style="{"font:" * 50_000}">text</p>'),
    "style_display": lambda: _html(f'<p style="display{" " * 100_000}">text</p>' * 2),
    "nested_span": partial(_nested, "span", 9_500),
    "nested_div": partial(_nested, "div", 9_500),
    "nested_nav": partial(_nested, "nav", 9_500),
    "nested_tables": lambda: _html("<table><tr><td>" * 150 + "<table>" + "<tr><td>x</td></tr>" * 20_000),
    "nested_lists": partial(_nested, "ul><li", 200),
    "many_paragraphs": lambda: _html("<p>text</p>" * 8_000),
    "many_long_paragraphs": lambda: _html("<p>Some words that are long enough to be compared.</p>" * 3_000),
    "many_inline_elements": lambda: _html(f"<p>{'in the log. <b>Bold</b>' * 60_000}</p>"),
    "many_headings": lambda: _html("<h2>A heading</h2>" * 6_000),
    "long_heading": partial(_heading_and_paragraphs, 20_000, 2_000),
    "long_title": lambda: _text("a.html", f"<title>{'.pdf_1' * 200_000}</title><p>text</p>"),
    "many_metas": lambda: _text("a.html", "<meta name=author content=x>" * 50_000 + "<p>text</p>"),
    "colspan": partial(_table, "<td colspan=1000000000 rowspan=1000000000>x</td>", 100, 20),
    "colspan_text": partial(_table, f"<th colspan=100>{'word ' * 2_000}</th>", 20, 3),
    "buttons": lambda: _html("<div><button>Why?</button></div><div hidden>x</div>" * 20_000),
    "reversed_lists": lambda: _html("<ol reversed><li>x" * 150 + "<li>y" * 50_000),
    "rowspan_text": partial(_table, f"<td rowspan=100>{'word ' * 190}</td>", 20, 10),
    "table_of_signs": partial(_table, "<td>(</td>", 60, 60),
    "html_spaces": lambda: _html(f"<p>{' ' * 3_400_000}x</p>"),
    "html_entities": lambda: _html("&amp;" * 15_000),
    "html_attributes": lambda: _html("<p " + " ".join(f"a{n}=1" for n in range(50_000)) + ">text</p>"),
    "html_doctype_entities": lambda: _text("a.html", f"{_entities()}<p>&e11; text</p>"),
    "frames": lambda: _html('<iframe srcdoc="<p>text</p>"></iframe>' * 4_000),
    "options": lambda: _html("<select>" + "<option>x" * 100_000 + "</select>"),
    "nested_formula": partial(_nested, "mrow", 9_000),
    "tables_in_cells": lambda: _html("<table><tr><th>a<th>b" + "<tr><td>x<td><table><tr><td>1</table>" * 5_000),
    # mail
    "mail_headers": lambda: _mail("\n".join(f"X-{n}: y" for n in range(100_000))),
    "mail_recipients": lambda: _mail("To: " + ", ".join(f'"a b" <a{n}@example.org>' for n in range(20_000))),
    "mail_comments": lambda: _mail("To: " + "(" * 50_000),
    "mail_folded_header": lambda: _mail("To: a" + "\n b" * 100_000),
    "mail_nested": partial(_nested_mail, 3_000),
    "mail_nested_parts": partial(_nested_parts, 400, 100_000),
    "mail_attachments": lambda: _mail(
        "Content-Type: multipart/mixed; boundary=b",
        '--b\nContent-Disposition: attachment; filename="a.pdf"\n\nx\n' * 20_000,
    ),
    "mail_file_name": lambda: _mail(
        "Content-Type: multipart/mixed; boundary=b",
        f"--b\n\ntext\n--b\nContent-Disposition: attachment;{''.join(f' f*{n}*=a;' for n in range(20_000))}\n\nx\n",
    ),
    "mail_without_end": lambda: _mail("Content-Type: multipart/mixed; boundary=b", "--b\n\ntext\n" + "--c\n" * 15_000),
    "mail_charset": lambda: _mail("Content-Type: text/plain; charset=punycode", "a-" + "b" * 100_000),
    "mail_encoded_words": lambda: _text("a.eml", "From: a\nSubject: " + "=?utf-8?q?a?= " * 30_000 + "\n\ntext"),
    "mail_calendar": lambda: _mail("Content-Type: text/calendar", "BEGIN:VEVENT\nSUMMARY;A=\"b\":x\n y\n" * 30_000),
    # records
    "nested_json": lambda: _text("a.json", '{"a":[' * 150 + '["some text"],' * 100_000 + "1" + "]}" * 150),
    "wide_csv": lambda: _text("a.csv", ",".join(f"name {n}" for n in range(3_000)) + ("\n" + "1," * 3_000) * 30),
    "ragged_csv": partial(_ragged, 8_000, 8_000),
    "growing_csv": partial(_rows_of_width_to, 100),
    "csv_rows": lambda: _text("a.csv", "a,b\n" * 10_000),
    "csv_long_field": lambda: _text("a.csv", 'a,b\n1,"' + "x" * 20_000_000 + '"\n'),
    "csv_title_rows": lambda: _text("a.csv", ("t\n" * 15 + "a,b,c\n") * 1_000),
    "csv_delimiters": lambda: _text("a.csv", ";" * 500_000 + "a"),
    "csv_quotes": lambda: _text("a.csv", '"' + "x\n" * 30_000),
    "tsv_tabs": lambda: _text("a.tsv", "\t" * 500_000 + "a\nb"),
    "json_nesting": lambda: _text("a.json", "[" * 500_000),
    "json_objects": lambda: _text("a.json", '{"a":' * 100_000),
    "json_digits": lambda: _text("a.json", '{"text": "x", "n": ' + "9" * 500_000 + "}"),
    "json_numbers": lambda: _text("a.json", "[" + "1," * 400_000 + "1]"),
    "json_records": lambda: _text("a.json", "[" + '"x",' * 250_000 + '"x"]'),
    "json_id": lambda: _text("a.jsonl", json.dumps({"_id": "x" * 200_000, "text": "x"})),
    "json_fields": lambda: _text("a.json", json.dumps({"text": "x", **{f"f{n}": n for n in range(100_000)}})),
    "json_lines_of_nothing": partial(_records, 1, 60_000),
    "json_lines_nested": lambda: _text("a.jsonl", '{"text": ' + "[" * 10_000 + "\n"),
    "json_one_after_the_other": lambda: _text("a.json", '{"a":1}\n{' * 100_000),
    # markup
    "latex_code": lambda: _text("a.tex", "\\begin{verbatim}x\n" * 30_000),
    "latex_false_branches": lambda: _text("a.tex", "\\iffalse x " * 10_000),
    "asciidoc_footnotes": lambda: _text("a.adoc", "footnote:[" * 10_000),
    "xml_rows": lambda: _text("a.xml", "<a>" + "<row><entry>x</entry></row>" * 10_000 + "</a>"),
    # RTF
    "rtf_groups": lambda: _text("a.rtf", "{\\rtf1 " + "{" * 500_000 + "x"),
    "rtf_fields": lambda: _text("a.rtf", "{\\rtf1 " + '{\\field{\\*\\fldinst{HYPERLINK "a"}}' * 5_000 + "x}"),
    "rtf_links": lambda: _text("a.rtf", '{\\rtf1 {\\field{\\*\\fldinst{' + 'HYPERLINK "a"}}{ ' * 5_000 + "x}"),
    "rtf_fonts": lambda: _text("a.rtf", "{\\rtf1 {\\fonttbl " + "{\\f1 a" * 50_000 + "}x}"),
    "rtf_charsets": lambda: _text("a.rtf", "{\\rtf1 {\\fonttbl " + "\\f1\\fcharset1 a" * 50_000),
    "rtf_pictures": lambda: _text("a.rtf", "{\\rtf1 " + "{\\pict\\bin9 x" * 50_000 + "x}"),
    # office
    "docx_paragraphs": partial(_paragraphs, 15_000),
    "docx_paragraphs_refused": partial(_paragraphs, 1_000_000),
    "docx_spans": partial(_spanning_cells, 10**9),
    "docx_open_fields": lambda: (
        "a.docx",
        archives.docx('<w:p><w:r><w:fldChar w:fldCharType="begin"/><w:t>x</w:t></w:r></w:p>' * 8_000),
    ),
    "rtf_nested_notes": lambda: ("a.rtf", b"{\\rtf1 x" + b"{\\footnote a" * 100_000 + b"}" * 100_001),
    "docx_styles": partial(_huge_member, "xml", 70),
    "docx_members": partial(_many_members, 60_000),
    "docx_core_properties": lambda: (
        "a.docx",
        archives.docx("<w:p/>", docProps__core_xml="<c>" + "<title>x</title>" * 1_500_000 + "</c>"),
    ),
    "docx_nested": lambda: (
        "a.docx",
        archives.docx("<w:sdt><w:sdtContent>" * 20_000 + "</w:sdtContent></w:sdt>" * 20_000),
    ),
    "docx_nested_tables": lambda: (
        "a.docx",
        archives.docx("<w:tbl><w:tr><w:tc>" * 80 + "<w:p/>" + "</w:tc></w:tr></w:tbl>" * 80),
    ),
    "docx_parts": lambda: (
        "a.docx",
        archives.docx(
            f'<w:altChunk {_RELATION} r:id="x"/>' * 300,
            _PART,
            word__a_html="<p>" + "word " * 100_000,
        ),
    ),
    "ods_repeated": lambda: ("a.ods", archives.ods(_REPEATED_ROWS * 30)),
    "xlsx_styles": lambda: ("a.xlsx", archives.styles_xlsx(3_000_000)),
    "xlsx_styles_accepted": lambda: ("a.xlsx", archives.styles_xlsx(30_000)),
    "xlsx_shared_text": lambda: ("a.xlsx", archives.shared_text_xlsx(1_000_000, 2_000)),
    "xlsx_wide_rows": partial(_wide_rows, 100),
    "xlsx_views": partial(_many_views, 300),
    "xlsx_last_row": lambda: ("a.xlsx", archives.xlsx(_row(1, _cell("A1")) + _row(1048576, _cell("A1048576")))),
    "xlsx_merged": partial(_merged_cells, 50_000),
    "xlsx_entities": lambda: ("a.xlsx", archives.xlsx("", xl__sharedStrings_xml=f"{_entities()}<sst>&e11;</sst>")),
    "odt_repeated": partial(_repeated_cells, 10**9),
    "odt_level": lambda: ("a.odt", archives.odt(f'<text:h text:outline-level="{"9" * 5000}">text</text:h>')),
    "odt_elements": lambda: ("a.odt", archives.odt("<text:p/>" * 90_000 + "<text:p>text</text:p>")),
    "odt_elements_refused": lambda: ("a.odt", archives.odt("<text:p/>" * 1_000_000)),
    "odt_entities": lambda: ("a.odt", archives.archive({"content.xml": f"{_entities()}<text>&e11;</text>"})),
    "epub_repeated": partial(_chapters, 20_000, 1),
    "epub_chapters": partial(_chapters, 1, 100),
    # PDF
    "pdf_forms": partial(_pdf, pdfs.recursive_form_pdf, 1),
    "pdf_form_tree": partial(_pdf, pdfs.recursive_form_pdf, 40),
    "pdf_repeated_page": partial(_pdf, pdfs.text_pdf, 10, 20, 300),
    "pdf_page_count": partial(_pdf, pdfs.page_pdf, "BT /F 9 Tf (x) Tj ET", 1, 10**9),
    "pdf_page_loop": partial(_pdf, pdfs.looping_pdf),
    "pdf_characters": partial(_pdf, pdfs.text_pdf, 200, 200),
    "pdf_same_line": partial(_pdf, pdfs.text_pdf, 1, 20_000, 1, True),
    "pdf_wide_table": partial(_pdf, pdfs.text_pdf, 100, 120),
    "pdf_narrow_lines": partial(_pdf, pdfs.text_pdf, 8_000, 2),
    "pdf_covers": partial(_pdf, pdfs.page_pdf, "BT /F 9 Tf 9 9 Td (x) Tj ET 0 g 0 0 20 20 re f " * 4_000, 1, 1),
    "pdf_clips": partial(_pdf, pdfs.page_pdf, "0 0 9 9 re W n " * 2_000 + "BT /F 9 Tf (x) Tj ET " * 2_000, 1, 1),
    "pdf_rules": partial(_pdf, pdfs.rules_pdf, 100_000),
}  # fmt: skip


def make(name: str) -> File:
    """The file name and the bytes of the document ``name``."""
    return DOCUMENTS[name]()
