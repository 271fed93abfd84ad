from __future__ import annotations

import json
import pickle
from itertools import pairwise
from pathlib import Path

import pytest

from retriton_pipeline.documents import (
    Block,
    Document,
    FilePart,
    SourceFile,
    Unreadable,
    file_parts,
    load_document,
    load_documents,
)
from retriton_pipeline.documents.records.json_lines import LINE_BYTES_MAX, PART_BYTES, line_parts
from retriton_pipeline.errors import UnreadableDocument


def records(tmp_path: Path, name: str, content: bytes | str) -> list[Document | Unreadable]:
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return [document for part in file_parts(SourceFile(file)) for document in load_documents(part)]


def documents(tmp_path: Path, name: str, content: bytes | str) -> list[Document]:
    return [document for document in records(tmp_path, name, content) if isinstance(document, Document)]


def lines(*values: object) -> str:
    return "".join(f"{json.dumps(value)}\n" for value in values)


def _written(file: Path, text: str) -> Path:
    file.write_text(text)
    return file


def test_beir_lines(tmp_path: Path) -> None:
    first = {"_id": "d1", "title": "One", "text": "First.\n\nSecond.", "metadata": {"year": 2020, "x": {"deep": 1}}}
    one, two = documents(tmp_path, "a.jsonl", "\ufeff" + lines(first, {"_id": "d2", "title": "", "text": "Two"}))
    assert one.source == f"{tmp_path}/a.jsonl#d1"
    assert (one.record, one.title, [block.text for block in one.blocks]) == ("d1", "One", ["First.", "Second."])
    assert one.metadata == {"year": 2020}
    assert (two.record, two.title) == ("d2", "a")


def test_the_digest_depends_on_the_record_only(tmp_path: Path) -> None:
    before = documents(tmp_path, "a.jsonl", '{"id": 1, "text": "x"}\n{"id": 2, "text": "y"}\n')
    after = documents(tmp_path, "a.jsonl", '{"id": 0, "text": "new"}\n{"text":"y",   "id":2}\n{"id": 1, "text": "z"}\n')
    assert after[1].sha256 == before[1].sha256
    assert after[2].sha256 != before[0].sha256


def test_records_with_any_fields(tmp_path: Path) -> None:
    layout = {
        "id": 7, "name": "Policy", "page_content": "The text.", "views": 5, "rate": 0.5, "open": True, "none": None,
        "tags": ["a", "b"], "vector": [0.1, 0.2], "url": "https://x.example", "summary": "s" * 1000,
        "nan": float("nan"), "big": 10**30, "nested": {"a": 1},
    }  # fmt: skip
    (document,) = documents(tmp_path, "a.ndjson", json.dumps(layout))
    assert (document.record, document.title) == ("7", "Policy")
    assert document.metadata == {
        "views": 5, "rate": 0.5, "open": True, "tags": "a, b", "url": "https://x.example"
    }  # fmt: skip
    (faq,) = documents(tmp_path, "b.jsonl", lines({"question": "How long is it?", "answer": "Ten days.", "code": "x1"}))
    assert [block.text for block in faq.blocks] == ["question: How long is it?", "answer: Ten days."]
    assert (faq.source, faq.metadata["code"]) == (f"{tmp_path}/b.jsonl#line-1", "x1")


def test_nested_texts_have_headings(tmp_path: Path) -> None:
    value = {
        "title": "Ferry",
        "sections": [
            {"heading": "Fares", "text": "Children pay half.", "page": 3},
            {
                "heading": "Crew",
                "members": [{"name": "Ann", "duty": "pilot"}, {"name": "Bob"}],
                "rules": ["No smoking."],
            },
        ],
        "harbour": {"north": {"depth": 4, "note": "rocks"}, "vector": [0.5, 0.25], "icon": "QUJD" * 100},
        "counts": {"a": 1},
    }
    document = load_document(_written(tmp_path / "a.json", json.dumps(value)))
    assert [(block.text, block.heading_level) for block in document.blocks] == [
        ("Fares", 2),
        ("Children pay half.", 0),
        ("Crew", 2),
        ("members", 3),
        ("Ann", 4),
        ("duty: pilot", 0),
        ("Bob", 0),
        ("rules: No smoking.", 0),
        ("harbour", 2),
        ("north", 3),
        ("depth: 4", 0),
        ("note: rocks", 0),
    ]


def test_conversations_chunks_and_lists_of_text(tmp_path: Path) -> None:
    made = documents(
        tmp_path,
        "a.jsonl",
        lines(
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "Which tide?"}]},
                          {"role": "assistant", "content": "The second."}]},
            {"conversations": [{"from": "human", "value": "Which pier?"}]},
            {"chunks": [{"text": "One."}, {"text": "Two."}]},
            {"body": ["First paragraph.", "Second."]},
            {"text": "Main.", "abstract": "Short.", "remark": "long " * 60, "warning": "Do not open.", "by": "Ann Lee"},
            {"text": "Main.", "steps": {"how": ["Lift the heavy lid up."]}},
            {"table": [["Line", "Fare"], ["North", 3]]},
            {"term": "lee", "sense": "downwind"},
        ),
    )  # fmt: skip
    assert [[block.text for block in document.blocks] for document in made] == [
        ["user: Which tide?", "assistant: The second."],
        ["conversations", "human: Which pier?"],
        ["One.", "Two."],
        ["First paragraph.", "Second."],
        ["Main.", "Short.", f"remark: {'long ' * 60}".strip(), "warning: Do not open."],
        ["Main.", "steps", "how:\n- Lift the heavy lid up."],
        ["table", "| Line | Fare |\n|---|---|\n| North | 3 |"],
        ["term: lee", "sense: downwind"],
    ]


def test_numbers_of_lines_are_no_ids(tmp_path: Path) -> None:
    made = documents(tmp_path, "a.jsonl", lines({"id": 2, "text": "one"}, {"text": "two"}))
    assert [document.record for document in made] == ["2", "line-2"]


def test_invalid_records_are_reported_and_the_others_read(tmp_path: Path) -> None:
    content = (
        lines({"text": "one"}, {"_id": "line-2", "text": " "}, 5)
        + '{"text": \n\n'
        + '{"a":' * 9999
        + "\n"
        + lines({"text": "\ud800x\0"})
    )
    made = records(tmp_path, "a.jsonl", content)
    assert [document.reason.split(":")[0] for document in made if isinstance(document, Unreadable)] == [
        "it has no text", "it is not a JSON object", "it is not JSON", "it is not usable JSON"
    ]  # fmt: skip
    assert [document.source.rpartition("#")[2] for document in made] == [
        "line-1", "line-2", "line-3", "line-4", "line-6", "line-7"
    ]  # fmt: skip
    last = made[-1]
    assert isinstance(last, Document)
    assert last.blocks[0].text == "?x"


def test_parts_are_complete_lines_with_their_numbers(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    for size in range(120):  # so that parts end at any position of a line
        file.write_text("".join(f'{{"text": "{"x" * (n * size % 97)}{n}"}}\n\n' for n in range(20)).rstrip())
        parts = list(line_parts(SourceFile(file), part_bytes=64))
        assert all(before.end == after.start for before, after in pairwise(parts))
        made = [document for part in parts for document in load_documents(part)]
        assert [document.source for document in made] == [f"{file}#line-{2 * n + 1}" for n in range(20)]
    assert len(parts) > 5


def test_a_large_file_is_read_in_parts(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(lines({"text": "x" * (PART_BYTES // 2)}) * 5)
    first, second, *_ = file_parts(SourceFile(file))
    assert (first.start, first.end, first.first_line) == (0, second.start, 1)


def test_parts_and_documents_can_be_pickled(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(lines({"text": "one"}))
    (part,) = file_parts(SourceFile(file))
    (document,) = load_documents(pickle.loads(pickle.dumps(part)))
    assert pickle.loads(pickle.dumps(document)) == document


def test_a_line_that_is_too_long_is_unreadable(tmp_path: Path) -> None:
    made = records(tmp_path, "a.jsonl", lines({"text": "x" * LINE_BYTES_MAX}, {"text": "short"}))
    assert [type(document) for document in made] == [Unreadable, Document]
    assert [document.source.rpartition("#")[2] for document in made] == ["line-1", "line-2"]


@pytest.mark.parametrize(
    ("name", "content", "sources"),
    [
        ("a.json", '[{"_id": "x", "text": "a"}, {"text": "b"}]', ["a.json#x", "a.json#record-2"]),
        ("a.json", '{"_id": "x", "text": "a"}', ["a.json"]),
        ("a.json", '{"text": "a"}\n{"text": "b"}\n', ["a.json#record-1", "a.json#record-2"]),
        ("a.jsonl", '[{"text": "a"},\n{"text": "b"}]', ["a.jsonl#record-1", "a.jsonl#record-2"]),
        ("a.jsonl", '{\n  "text": "a"\n}\n', ["a.jsonl"]),
    ],
)
def test_the_content_determines_the_number_of_records(
    tmp_path: Path, name: str, content: str, sources: list[str]
) -> None:
    assert [document.source for document in documents(tmp_path, name, content)] == [f"{tmp_path}/{s}" for s in sources]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.jsonl", b"", "empty"),
        ("a.jsonl", b"\n \n", "no text"),
        ("a.jsonl", b"%PDF-1.7\n" * 3, "its content is a PDF"),
        ("a.json", b"[]", "array is empty"),
        ("a.json", b"5", "neither a JSON object nor an array"),
        ("a.json", b"{", "not JSON"),
        ("a.json", b"[" * 100_000, "not usable JSON"),
        ("a.json", b'{"n": ' + b"9" * 5000 + b"}", "not usable JSON"),
    ],
)
def test_files_without_records_are_unreadable(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (unreadable,) = records(tmp_path, name, content)
    assert isinstance(unreadable, Unreadable)
    assert unreadable.source == str(tmp_path / name)
    assert reason in unreadable.reason


def test_a_missing_file_is_unreadable() -> None:
    (unreadable,) = load_documents(FilePart(Path("/nowhere.jsonl")))
    assert isinstance(unreadable, Unreadable)
    assert unreadable.reason == "it cannot be read: No such file or directory"


@pytest.mark.parametrize(
    ("name", "raw", "text"),
    [
        ("a.csv", b"a,b\n1,\"x\ny; z\"\n", "| a | b |\n|---|---|\n| 1 | x y; z |"),
        ("a.csv", b"Name;Size, m\nA;1,5\nB;2,5\n", "| Name | Size, m |\n|---|---|\n| A | 1,5 |\n| B | 2,5 |"),
        ("a.csv", "a\tb\n1\t2\n".encode("utf-16"), "| a | b |\n|---|---|\n| 1 | 2 |"),
        ("a.csv", b"sep=;\r\na;b\r\n1,2;3,4\r\n", "| a | b |\n|---|---|\n| 1,2 | 3,4 |"),
        ("a.csv", b"\"sep=\t\"\na\tb\n1;2\t3\n", "| a | b |\n|---|---|\n| 1;2 | 3 |"),
        ("a.tsv", b"a\tb,c\n1\t2\n", "| a | b,c |\n|---|---|\n| 1 | 2 |"),
        ("a.csv", b'"a", "b"\n"1, 2", "3"\n"4", "5, 6"\n', "| a | b |\n|---|---|\n| 1, 2 | 3 |\n| 4 | 5, 6 |"),
        ("a.csv", b'id,zip\n1,="00123"\n2,"=""00456"""\n', "| id | zip |\n|---|---|\n| 1 | 00123 |\n| 2 | 00456 |"),
    ],
)  # fmt: skip
def test_delimited_tables(tmp_path: Path, name: str, raw: bytes, text: str) -> None:
    (tmp_path / name).write_bytes(raw)
    (block,) = load_document(tmp_path / name).blocks
    assert block.text == text
    assert block.text.startswith(block.header) and block.header.endswith("|---|---|")


def test_tables_and_remarks_below_a_table(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "Map,Days\nsea,4\nland,5\n\nPort,Ships,Crews\nKiel,6,7\n\nSource: the harbour\nTotal of 2\n"
    )
    assert [block.text for block in load_document(tmp_path / "a.csv").blocks] == [
        "| Map | Days |\n|---|---|\n| sea | 4 |\n| land | 5 |",
        "| Port | Ships | Crews |\n|---|---|---|\n| Kiel | 6 | 7 |",
        "Source: the harbour\nTotal of 2",
    ]


def test_blank_rows_within_a_table_do_not_end_it(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Map,Days,Note\nsea,4,\n\nland,5,new\nriver,6,\n")
    (block,) = load_document(tmp_path / "a.csv").blocks
    assert block.text.endswith("| sea | 4 |  |\n| land | 5 | new |\n| river | 6 |  |")


MAIL = (
    b"From: Ann <ann@x.example>\r\nTo: bob@x.example\r\nSubject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=\r\n"
    b"Date: Tue, 1 Jul 2025 10:00:00 +0200\r\nMIME-Version: 1.0\r\n"
)


def test_mails(tmp_path: Path) -> None:
    body = (
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
        b"--x\r\nContent-Type: multipart/alternative; boundary=y\r\n\r\n"
        b"--y\r\nContent-Type: text/html\r\n\r\n<p>no</p>\r\n--y\r\nContent-Type: text/plain; charset=latin-1\r\n\r\n"
        b"Gr\xfc\xdfe.\r\n\r\nZwei.\r\n--y--\r\n--x\r\nContent-Type: application/pdf\r\n"
        b"Content-Disposition: attachment; filename=a.pdf\r\n\r\nx\r\n--x--\r\n"
    )
    (tmp_path / "a.eml").write_bytes(MAIL + body)
    document = load_document(tmp_path / "a.eml")
    assert document.title == "Größe"
    assert [block.text for block in document.blocks] == ["Grüße.", "Zwei."]
    assert document.metadata == {
        "from": "Ann <ann@x.example>",
        "to": "bob@x.example",
        "date": "2025-07-01T10:00:00+02:00",
        "attachments": "a.pdf",
    }


def mail(tmp_path: Path, content_type: str, *parts: str) -> list[Block]:
    body = "".join(f"--x\r\n{part}\r\n" for part in parts)
    (tmp_path / "a.eml").write_bytes(MAIL + f"Content-Type: {content_type}; boundary=x\r\n\r\n{body}--x--\r\n".encode())
    return list(load_document(tmp_path / "a.eml").blocks)


PLAIN = "Content-Type: text/plain\r\n\r\n"


def test_all_texts_of_a_mail_are_read(tmp_path: Path) -> None:
    picture = "Content-Type: image/png; name=a.png\r\nContent-Disposition: inline\r\n\r\nx"
    log = "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.log\r\n\r\nnot read"
    html = "Content-Type: text/html\r\n\r\n<p>after</p>"
    made = mail(tmp_path, "multipart/mixed", f"{PLAIN}before", picture, html, log)
    assert [block.text for block in made] == ["before", "after"]


def test_a_plain_text_that_only_refers_to_the_html_is_not_enough(tmp_path: Path) -> None:
    html = "Content-Type: text/html\r\n\r\n<p>The pier opens on Monday at nine.</p>"
    (block,) = mail(tmp_path, "multipart/alternative", f"{PLAIN}See HTML.", html)
    assert block.text == "The pier opens on Monday at nine."


def test_forwarded_messages_and_reports_are_part_of_a_mail(tmp_path: Path) -> None:
    inner = f"Content-Type: message/rfc822\r\n\r\nFrom: Eve <eve@x.example>\r\nSubject: Keel\r\n{PLAIN}It is cracked."
    report = "Content-Type: message/delivery-status\r\n\r\nStatus: 5.2.2\r\nDiagnostic-Code: mailbox full"
    made = mail(tmp_path, "multipart/mixed", f"{PLAIN}See below.", inner, report)
    assert [(block.text, block.heading_level) for block in made] == [
        ("See below.", 0),
        ("Keel", 2),
        ("From: Eve <eve@x.example>", 0),
        ("It is cracked.", 0),
        ("Status: 5.2.2\nDiagnostic-Code: mailbox full", 0),
    ]


def test_invitations_say_what_when_and_where(tmp_path: Path) -> None:
    event = (
        "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nDTSTART:16010101T000000\r\n"
        "END:VTIMEZONE\r\nBEGIN:VEVENT\r\nSUMMARY;LANGUAGE=en:Tide\\, spring and \r\n neap\r\n"
        "DTSTART;TZID=Europe/Oslo:20310607T083000\r\nDTEND;VALUE=DATE:20310608\r\n"
        'ORGANIZER;CN="Lee: Ann":mailto:ann@x.example\r\nLOCATION:Pier 2\r\nBEGIN:VALARM\r\nDESCRIPTION:Reminder\r\n'
        "END:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR"
    )
    made = mail(tmp_path, "multipart/mixed", f"{PLAIN}Come!", event, event)
    assert [block.text for block in made] == [
        "Come!",
        "Summary: Tide, spring and neap\nStart: 2031-06-07 08:30 Europe/Oslo\nEnd: 2031-06-08\n"
        "Organizer: Lee: Ann <ann@x.example>\nLocation: Pier 2",
    ]


def test_mails_with_html_only(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(MAIL + b"Content-Type: text/html; charset=nonsense\r\n\r\n<p>Hello <b>you</b></p>")
    assert [block.text for block in load_document(tmp_path / "a.eml").blocks] == ["Hello you"]
    (tmp_path / "b.eml").write_bytes(b"Only text.")
    with pytest.raises(UnreadableDocument, match="not a mail"):
        load_document(tmp_path / "b.eml")


def test_quotation_marks_in_fields_may_have_a_backslash(tmp_path: Path) -> None:
    raw = 'name,said\nAnn,"she said \\"go\\", then left"\nBen,"ok"\n'
    [document] = documents(tmp_path, "a.csv", raw)
    assert '| Ann | she said "go", then left |' in document.blocks[0].text
    [document] = documents(tmp_path, "b.csv", 'name,folder\nAnn,"C:\\data\\"\nBen,"D:\\"\n')
    assert "| Ann | C:\\data\\ |" in document.blocks[0].text


def test_sources_of_pages_in_mails_are_no_text(tmp_path: Path) -> None:
    parts = ("Content-Type: text/css\n\np{color:red}", "Content-Type: text/html\n\n<p>Shown.</p>")
    assert [block.text for block in mail(tmp_path, "multipart/related", *parts)] == ["Shown."]


@pytest.mark.parametrize(
    "value",
    [
        [["tree", "m"], ["oak", 4], ["ash", None]],
        {"data": [{"tree": "oak", "m": 4}, {"tree": "ash", "m": None}]},
        {"columns": ["tree", "m"], "index": [0, 1], "data": [["oak", 4], ["ash", None]]},
        {"tree": {"0": "oak", "1": "ash"}, "m": {"0": 4, "1": None}},
    ],
)
def test_rows_in_json_are_a_table(tmp_path: Path, value: object) -> None:
    blocks = load_document(_written(tmp_path / "a.json", json.dumps(value))).blocks
    assert [block.text for block in blocks] == ["| tree | m |\n|---|---|\n| oak | 4 |\n| ash |  |"]


def test_objects_with_texts_are_no_table(tmp_path: Path) -> None:
    asked = [{"asked": "Is it tall?", "said": "Yes, it is."}, {"asked": "Is it old?", "said": "It is very old indeed."}]
    value = {"sections": [{"title": "Oak", "text": "Tall."}, {"title": "Ash", "text": "Old."}], "faq": asked}
    blocks = load_document(_written(tmp_path / "a.json", json.dumps(value))).blocks
    assert [block.text for block in blocks] == [
        "Oak", "Tall.", "Ash", "Old.", "faq", "asked: Is it tall?", "said: Yes, it is.", "asked: Is it old?",
        "said: It is very old indeed.",
    ]  # fmt: skip


def test_short_values_are_text_where_nothing_else_is_or_metadata_cannot_hold_them(tmp_path: Path) -> None:
    settings = load_document(_written(tmp_path / "a.json", '{"host": "localhost", "port": 8080, "debug": false}'))
    assert [block.text for block in settings.blocks] == ["host: localhost", "port: 8080", "debug: False"]
    words = {f"key-{number}": f"word{number}" for number in range(40)} | {"last": "two words"}
    translated = load_document(_written(tmp_path / "b.json", json.dumps(words)))
    assert len(translated.blocks) == len(words)


def test_a_name_alone_has_the_label_of_its_object(tmp_path: Path) -> None:
    value = {"text": "It leaks.", "reporter": {"name": "Ann Lee"}}
    blocks = load_document(_written(tmp_path / "a.json", json.dumps(value))).blocks
    assert [block.text for block in blocks] == ["It leaks.", "reporter: Ann Lee"]
