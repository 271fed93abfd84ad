"""What programs write besides the texts of their formats: exports, logs, mail, calendars, subtitles and books."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pptx import Presentation

from retriton_pipeline.documents import load_document
from tests.hostile import archives
from tests.reading import read, texts


def test_outputs_of_terminals_are_read_as_shown(tmp_path: Path) -> None:
    log = "10:00 \x1b[1;31mERROR\x1b[0m \x1b]8;;https://example.org\x1b\\pump\x1b]8;;\x07 failed\nN\bNA\bAME\n"
    assert texts(tmp_path, "a.log", log) == ["10:00 ERROR pump failed\nNAME"]
    assert texts(tmp_path, "a.txt", "\x1b[32mopen\x1b[39m valve") == ["open valve"]


def test_outputs_of_notebooks_that_are_objects_in_plain_text(tmp_path: Path) -> None:
    styled = {"text/plain": "<pandas.io.formats.style.Styler at 0x7f2>", "text/html": "<p>12 apples</p>"}
    only = {"text/plain": "<matplotlib.lines.Line2D at 0x7f2>"}
    progress = " 10%|# | 1/9\r 99%|##| 8/9\r100%|###| 9/9\n"
    outputs = [
        {"output_type": "execute_result", "data": styled},
        {"output_type": "execute_result", "data": only},
        {"output_type": "stream", "text": [progress]},
    ]
    cells = [{"cell_type": "code", "source": "x", "outputs": outputs}]
    assert texts(tmp_path, "a.ipynb", json.dumps({"nbformat": 4, "cells": cells})) == [
        "x", "<matplotlib.lines.Line2D at 0x7f2>\n100%|###| 9/9", "12 apples"
    ]  # fmt: skip


def test_soft_line_breaks_of_mail_are_none(tmp_path: Path) -> None:
    head = "From: a@example.org\nSubject: Pier\nContent-Type: text/plain; format=flowed"
    body = "A paragraph \nof two lines.\nNext.\n\n> quoted \n> words\n>> deeper\n\n-- \nMia\n"
    assert texts(tmp_path, "a.eml", f"{head}\n\n{body}") == [
        "A paragraph of two lines.\nNext.", "> quoted words\n>> deeper", "-- \nMia"
    ]  # fmt: skip
    assert texts(tmp_path, "b.eml", f"{head}; delsp=yes\n\nseventy-two cha \nracters\n") == ["seventy-two characters"]


def test_calendars_have_contacts_links_and_html(tmp_path: Path) -> None:
    event = (
        "BEGIN:VEVENT\nSUMMARY:Pier\nCATEGORIES:Sea\nURL:https://example.org\nCOMMENT:Bring tea\n"
        "X-ALT-DESC;FMTTYPE=text/html:<p>Rich <b>text</b></p>\nEND:VEVENT\n"
    )
    second = "BEGIN:VEVENT\nDESCRIPTION:<b>Agenda</b><br>Boats\nX-ALT-DESC:<p>same</p>\nEND:VEVENT\n"
    document = read(tmp_path, "a.ics", f"BEGIN:VCALENDAR\nX-WR-CALNAME:Team\n{event}{second}END:VCALENDAR\n")
    assert document.title == "Team"
    assert [block.text for block in document.blocks] == [
        "Summary: Pier\nCategories: Sea\nLink: https://example.org\nComment: Bring tea\nDescription: Rich text",
        "Description: Agenda\nBoats",
    ]


def test_voices_of_subtitles_are_named_and_notes_and_identifiers_are_not_spoken(tmp_path: Path) -> None:
    cues = (
        "STYLE\n::cue { color: red }\n\nopening scene\n00:01.000 --> 00:02.000 align:start\n<v.loud Esme>Ready?</v>\n\n"
        "NOTE a comment\non two lines\n\nsecond\n00:02.000 --> 00:03.000\n<v Esme>Now.\n\n"
        "00:03.000 --> 00:04.000\n<v Mary>Yes, <ruby>tested<rt>twice</rt></ruby>.\n"
    )
    assert texts(tmp_path, "a.vtt", f"WEBVTT - Interview\nKind: captions\n\n{cues}") == [
        "[00:00:01] Esme: Ready? Now. Mary: Yes, tested."
    ]


def test_references_to_notes_of_books_are_marked(tmp_path: Path) -> None:
    page = '<p>Water<a epub:type="noteref" href="#n">1</a> and oil<a role="doc-noteref" href="#m"><sup>2</sup></a>.</p>'
    assert texts(tmp_path, "a.html", f"<body>{page}</body>") == ["Water[1] and oil[2]."]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("-- Таблица насосов\ncreate table pumps (id int); -- насос\n", "cp1251"),
        ("# Αντλίες του λιμανιού\nclass Pump:\n    pass  # νερό\n", "cp1253"),
        ("/* 检查水泵的压力并打开阀门 */\nint x;\n", "gb18030"),
        ("// ตรวจสอบความดันของปั๊มแล้วเปิดวาล์ว\nint x;\n", "cp874"),
        ("// Prüft die Größe\nint x;\n", "cp1252"),
    ],
)
def test_comments_in_code_determine_its_encoding(tmp_path: Path, text: str, encoding: str) -> None:
    (block,) = read(tmp_path, "a.txt", text.encode(encoding)).blocks
    assert block.text == text.strip()


def test_properties_above_a_blank_row_are_not_the_names_of_columns(tmp_path: Path) -> None:
    for above in ("Report;Pumps\nMade;2030-03-02\n\n", "Report;Pumps;\nMade;2030-03-02;\n;;\n"):
        assert texts(tmp_path, "a.csv", f"{above}Name;Bar;Price\nA;1,5;2\nB;2,5;3\n") == [
            "Report Pumps\nMade 2030-03-02", "| Name | Bar | Price |\n|---|---|---|\n| A | 1,5 | 2 |\n| B | 2,5 | 3 |"
        ]  # fmt: skip


def test_front_matter_in_json(tmp_path: Path) -> None:
    document = read(tmp_path, "a.md", '{\n  "title": "Pumps",\n  "tags": ["a", "b"],\n  "n": 3\n}\n\n# Body\n')
    assert (document.title, document.metadata) == ("Pumps", {"tags": "a, b", "n": "3"})
    assert texts(tmp_path, "b.md", "{\n  not json\n}\n") == ["{\n  not json\n}"]


def test_struck_classes_permanent_links_and_links_to_edit_are_not_read(tmp_path: Path) -> None:
    style = "<style>.c3{text-decoration:line-through}.c9{text-decoration:underline}</style>"
    page = (
        '<h1>Usage<a class="headerlink" href="#usage" title="Link">¶</a></h1>'
        '<h2>Old<span class="mw-editsection">[<a href="edit">edit</a>]</span></h2>'
        '<p>Valid <span class="c3">gone</span> <span class="c9">words</span> <a href="#n">1</a></p>'
    )
    document = read(tmp_path, "a.html", f"<html><head>{style}</head><body>{page}</body></html>")
    assert (document.title, [block.text for block in document.blocks]) == ("Usage", ["Usage", "Old", "Valid words 1"])


def test_code_beside_numbers_of_lines_keeps_its_lines(tmp_path: Path) -> None:
    sphinx = (
        '<table class="highlighttable"><tr><td class="linenos"><div><pre>1\n2</pre></div></td>'
        '<td class="code"><div><pre>if x:\n    y = 2\n</pre></div></td></tr></table>'
    )
    rows = '<tr><td class="blob-num" data-line-number="1"></td><td class="blob-code"><span>if x:</span></td></tr>'
    rows += '<tr><td class="blob-num" data-line-number="2"></td><td class="blob-code">    y = 2</td></tr>'
    lines = (f'<tr><td class="line-number">{at}</td><td>{name}</td></tr>' for at, name in ((1, "Bolt"), (2, "Nut")))
    invoice = f"<table>{''.join(lines)}</table>"
    for page in (sphinx, f"<table>{rows}</table>"):
        assert texts(tmp_path, "a.html", f"<body>{page}</body>") == ["```\nif x:\n    y = 2\n```"]
    assert texts(tmp_path, "a.html", f"<body>{invoice}</body>") == ["| 1 | Bolt |\n|---|---|\n| 2 | Nut |"]


PAGE = "<html><body><table><tr><th>Name</th><th>Qty</th></tr><tr><td>Bolt</td><td>3</td></tr></table></body></html>"
BOOK = (
    "<?xml version='1.0'?><Workbook><Worksheet><Table><Row><Cell>Name</Cell><Cell>Qty</Cell></Row>"
    "<Row><Cell>Bolt</Cell><Cell>3</Cell></Row></Table></Worksheet></Workbook>"
)
SAVED = f"Date: Mon, 2 Mar 2030 10:00:00 +0100\nMIME-Version: 1.0\nContent-Type: text/html\n\n{PAGE}"
RICH = r"{\rtf1\ansi \trowd\cellx1\cellx2\intbl Name\cell Qty\cell\row\trowd\cellx1\cellx2\intbl Bolt\cell 3\cell\row}"


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.xls", PAGE), ("a.xls", PAGE[12:-14]), ("a.xls", "Name\tQty\nBolt\t3\n"), ("a.xls", BOOK), ("a.doc", PAGE),
     ("a.doc", SAVED), ("a.doc", RICH)],
)  # fmt: skip
def test_files_that_only_have_the_suffix_of_an_older_format_are_read(tmp_path: Path, name: str, content: str) -> None:
    assert texts(tmp_path, name, content) == ["| Name | Qty |\n|---|---|\n| Bolt | 3 |"]


def test_newer_files_with_the_suffix_of_an_older_format_are_read(tmp_path: Path) -> None:
    body = "<w:p><w:r><w:t>Use oil.</w:t></w:r></w:p>"
    assert texts(tmp_path, "a.doc", archives.docx(body)) == ["Use oil."]
    cells = '<row r="1"><c r="A1" t="inlineStr"><is><t>text</t></is></c></row>'
    assert texts(tmp_path, "a.xls", archives.xlsx(cells)) == ["s1", "text"]
    slides = Presentation()
    slides.slides.add_slide(slides.slide_layouts[5]).shapes.title.text = "Pumps"
    slides.save(tmp_path / "b.ppt")
    assert [block.text for block in load_document(tmp_path / "b.ppt").blocks] == ["Pumps"]


def test_words_of_word_processors_in_xml_are_whole(tmp_path: Path) -> None:
    runs = "<w:r><w:t>Hello wor</w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>ld.</w:t></w:r>"
    document = f'<w:wordDocument xmlns:w="urn:w"><w:body><w:p>{runs}</w:p></w:body></w:wordDocument>'
    assert texts(tmp_path, "a.xml", document) == ["Hello world."]


def test_titles_of_feeds_have_no_references(tmp_path: Path) -> None:
    feed = '<feed><entry><title type="html">Fish &amp;amp; Chips</title><note>a &amp;lt; b</note></entry></feed>'
    assert texts(tmp_path, "a.xml", feed) == ["Fish & Chips", "a < b"]


def test_signed_texts_have_no_signature(tmp_path: Path) -> None:
    signature = "-----BEGIN PGP SIGNATURE-----\n\niQEzBAEBCAAd\n=abcd\n-----END PGP SIGNATURE-----\n"
    signed = f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nAt noon:\n- - lunch\n{signature}"
    head = "From: a@example.org\nSubject: Plan\nContent-Type: text/plain\n\n"
    assert texts(tmp_path, "a.eml", f"{head}{signed}\nA list.") == ["At noon:\n- lunch", "A list."]
    assert texts(tmp_path, "b.eml", f"{head}Between -----BEGIN PGP SIGNED MESSAGE-----\nand this.") == [
        "Between -----BEGIN PGP SIGNED MESSAGE-----\nand this."
    ]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_headers_of_mails_without_an_encoding(tmp_path: Path, encoding: str) -> None:
    mail = "From: Jürgen Groß <j@example.org>\nSubject: Grüße und Maße\n\nSchöne Grüße.".encode(encoding)
    document = read(tmp_path, "a.eml", mail)
    assert (document.title, document.metadata["from"]) == ("Grüße und Maße", "Jürgen Groß <j@example.org>")


def test_texts_with_marks_are_the_last_choice_of_a_mail(tmp_path: Path) -> None:
    enriched = "--A\nContent-Type: text/enriched\n\n<bold>At</bold> noon.\n"
    page = "--A\nContent-Type: text/html\n\n<p><b>At</b> noon.</p>\n--A--\n"
    head = "From: a@example.org\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=A\n\n"
    assert texts(tmp_path, "a.eml", head + enriched + page) == ["At noon."]


def test_places_of_lines_below_each_other_and_pages_of_a_text(tmp_path: Path) -> None:
    text = "List:\n\n  * oak\n    (tall)\n  * ash\n\n\t \n        Qty\n  oak   2\n\fSecond page.\n\f"
    assert texts(tmp_path, "a.txt", text) == ["List:", "* oak\n  (tall)\n* ash", "Qty\noak   2", "Second page."]
