"""What programs write besides the texts of their formats: exports, logs, mail, calendars, subtitles and books."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from retriton_pipeline.documents import Document, load_document


def read(tmp_path: Path, name: str, content: str | bytes) -> Document:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_document(tmp_path / name)


def texts(tmp_path: Path, name: str, content: str | bytes) -> list[str]:
    return [block.text for block in read(tmp_path, name, content).blocks]


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
