from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from fpdf import FPDF

from retriton_pipeline.documents import (
    Document,
    SourceFile,
    Unreadable,
    file_parts,
    find_files,
    load_document,
    load_documents,
)
from retriton_pipeline.errors import PipelineError, UnreadableDocument


def load(tmp_path: Path, name: str, content: bytes | str) -> Document:
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return load_document(file)


def pdf(pages: list[str], password: str | None = None) -> bytes:
    document = FPDF()
    document.set_title("A title")
    for page in pages:
        document.add_page()
        document.set_font("Helvetica", size=12)
        document.multi_cell(0, 8, page)
    if password:
        document.set_encryption(owner_password="owner", user_password=password)
    return bytes(document.output())


def test_markdown_keeps_structure_tables_and_code(tmp_path: Path) -> None:
    document = load(
        tmp_path,
        "a.md",
        "Intro.\n\n# Top\n\nText *one*.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
        "```\nx  = 1\n\ny\n```\n## Sub\n- l1\n- l2\n",
    )
    assert document.title == "Top"
    assert [(block.text, block.heading_level, block.verbatim) for block in document.blocks] == [
        ("Intro.", 0, False),
        ("Top", 1, False),
        ("Text *one*.", 0, False),
        ("| a | b |\n|---|---|\n| 1 | 2 |", 0, True),
        ("```\nx  = 1\n\ny\n```", 0, True),
        ("Sub", 2, False),
        ("- l1\n- l2", 0, False),
    ]
    assert [block.header for block in document.blocks if block.header] == ["| a | b |\n|---|---|"]


def test_html_drops_boilerplate_and_keeps_headings(tmp_path: Path) -> None:
    sentence = "The vectors of all passages are kept in one collection, which remembers its encoder. "
    page = (
        "<html><head><title>The  title</title></head><body><nav><a href='/x'>Home</a></nav><article><h1>Heading</h1>"
        f"<p>{sentence * 3}</p><h2>Second</h2><p>{sentence * 2}</p></article><footer>Cookies</footer></body></html>"
    )
    document = load(tmp_path, "a.html", page)
    assert document.title == "The title"
    text = "\n".join(block.text for block in document.blocks)
    assert "remembers its encoder" in text
    assert "Cookies" not in text
    assert [block.text for block in document.blocks if block.heading_level] == ["Heading", "Second"]


def test_pdf_keeps_pages_and_title(tmp_path: Path) -> None:
    document = load(tmp_path, "a.pdf", pdf(["First page.", "Second page."]))
    assert document.title == "A title"
    assert [(block.text, block.page) for block in document.blocks] == [("First page.", 1), ("Second page.", 2)]


def test_markdown_front_matter_is_metadata_and_inline_images_are_dropped(tmp_path: Path) -> None:
    image = "data:image/png;base64," + "QUJD" * 100
    document = load(tmp_path, "a.md", f"---\ntitle: 'The title'\nauthor: Ann\ntags: [a]\n---\nText ![x]({image}).\n")
    assert document.title == "The title"
    assert document.metadata == {"author": "Ann", "tags": "a"}
    assert [block.text for block in document.blocks] == ["Text ![x]()."]


def test_lists_and_long_values_of_front_matter(tmp_path: Path) -> None:
    yaml = "tags:\n  - sea\n  - 'rope'\nsummary: >\n  Two\n  lines.\n# none\nempty:\nabstract: |\n  " + "long " * 60
    document = load(tmp_path, "a.md", f"---\r\n{yaml}\r\n---\r\nText.\r\n")
    assert (document.metadata["tags"], document.metadata["summary"]) == ("sea, rope", "Two lines.")
    assert [block.text for block in document.blocks] == [f"abstract: {'long ' * 60}".strip(), "Text."]
    document = load(tmp_path, "a.mdx", '+++\ntitle = "Knots"\n[params]\nsize = 3\n+++\nText.')
    assert (document.title, document.metadata) == ("Knots", {"size": "3"})


def test_text_between_rules_is_no_front_matter(tmp_path: Path) -> None:
    document = load(tmp_path, "a.md", "---\nThe pier is closed.\n\nNote: until May.\n\n---\nText.")
    assert [block.text for block in document.blocks] == ["The pier is closed.", "Note: until May.", "Text."]


def test_comments_of_markdown_are_skipped_outside_of_code(tmp_path: Path) -> None:
    document = load(
        tmp_path,
        "a.md",
        "<!-- one\n\ntwo -->\n\n# Head <!-- x -->\n\nA `<!-- code -->` b<!-- gone --> c <!-- open\n\n- item <!-- y -->"
        "\n\n```\n<!-- code -->\n```\n\n| a<!-- z --> | b |\n|---|---|\n| 1 | <!-- w -->2 |\n",
    )
    assert [block.text for block in document.blocks] == [
        "Head", "A `<!-- code -->` b c <!-- open", "- item", "```\n<!-- code -->\n```",
        "| a | b |\n|---|---|\n| 1 | 2 |",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("\ufeffein Satz".encode(), "ein Satz"),
        ("größer".encode("utf-16"), "größer"),
        (b"one\r\n\r\ntwo", "one|two"),
        ("This is a text in UTF-16 without a mark at its start.".encode("utf-16-le"),
         "This is a text in UTF-16 without a mark at its start."),
        ("Die Prüfung der Straßenbeläge ist für Fußgänger größer.\n\nZweiter Absatz über Öl.".encode("cp1252"),
         "Die Prüfung der Straßenbeläge ist für Fußgänger größer.|Zweiter Absatz über Öl."),
    ],
)  # fmt: skip
def test_encodings_are_detected(tmp_path: Path, raw: bytes, text: str) -> None:
    assert "|".join(block.text for block in load(tmp_path, "a.txt", raw).blocks) == text


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", b"", "empty"),
        ("a.pdf", b"", "empty"),
        ("a.txt", b" \n \n", "no text"),
        ("a.pdf", b"%PDF-1.7 nonsense", "not a readable PDF"),
        ("a.pdf", b"<!doctype html><p>text", "not a PDF: its content is HTML"),
        ("a.pdf", b"text", "not a PDF: its content is something else"),
        ("a.txt", b"%PDF-1.7", "not text: its content is a PDF"),
        ("a.doc", b"text", "it is not a DOC"),
        ("a.pdf", pdf(["secret"], password="p"), "password"),
        ("a.pdf", pdf([""]), "none of its 1 pages"),
        ("a.txt", b"\0\1\2\3" * 50, "binary"),
        ("a.txt", b"\xef\xbb\xbf\0\0 marked as UTF-8", "binary"),
        ("a.xyz", b"text", "type .xyz"),
        ("a.xlsb", b"text", "save them as .xlsx"),
        ("a.html", b"", "empty"),
        ("a.html", b"<html><body></body></html>", "no text"),
    ],
)
def test_the_reason_why_a_file_is_unreadable(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableDocument, match=reason):
        load(tmp_path, name, content)


def test_files_are_found_once_and_sorted_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.md", "a.txt", ".hidden.md", "sub/c.md", ".git/d.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    found = list(find_files([tmp_path, tmp_path / "b.md"]))
    assert [str(file.path.relative_to(tmp_path)) for file in found] == ["a.txt", "b.md", "sub/c.md"]
    with pytest.raises(PipelineError, match="does not exist"):
        list(find_files([tmp_path / "nowhere"]))


def test_mojibake_is_repaired(tmp_path: Path) -> None:
    broken = "Norwich 1–0 Ipswich, “größer”".encode().decode("latin-1")
    (tmp_path / "a.txt").write_text(f"{broken}\n\nLe château de São Paulo, IDÉE.", encoding="utf-8")
    first, second = load_document(tmp_path / "a.txt").blocks
    assert (first.text, second.text) == ("Norwich 1–0 Ipswich, “größer”", "Le château de São Paulo, IDÉE.")


def reasons(folder: Path, follow_links: bool = False) -> dict[str, str]:
    """The reasons of unreadable files in ``folder``, by their names; those that are read have none."""
    documents = {
        file.path.name: next(load_documents(part))
        for file in find_files([folder], follow_links)
        for part in file_parts(file)
    }
    return {name: getattr(document, "reason", "") for name, document in documents.items()}


def test_links_are_followed_within_their_folder_only(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / ".data").mkdir(parents=True)
    (folder / ".data" / "within.txt").write_text("text")
    (tmp_path / "outside.txt").write_text("secret")
    for name, target in (("in.txt", ".data/within.txt"), ("out.txt", "../outside.txt"), ("out.jsonl", "/proc/cpuinfo")):
        (folder / name).symlink_to(target)
    (folder / "loop.txt").symlink_to("loop.txt")
    (folder / "parent").symlink_to("..")
    found = reasons(folder)
    assert found["in.txt"] == ""
    assert "leads out of the folder" in found["out.txt"]
    assert "leads out of the folder" in found["out.jsonl"]
    assert "cannot be read" in found["loop.txt"]
    assert reasons(folder, follow_links=True)["out.txt"] == ""
    assert [file.within for file in find_files([folder / "out.txt"])] == [None]


def test_a_folder_that_becomes_a_link_while_files_are_read_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "folder" / "sub").mkdir(parents=True)
    (tmp_path / "folder" / "sub" / "a.txt").write_text("text")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.txt").write_text("secret")
    (file,) = find_files([tmp_path / "folder"])
    (tmp_path / "folder" / "sub").rename(tmp_path / "moved")
    (tmp_path / "folder" / "sub").symlink_to(tmp_path / "other")
    (document,) = [document for part in file_parts(file) for document in load_documents(part)]
    assert isinstance(document, Unreadable)
    assert "leads out of the folder" in document.reason


def test_special_files_are_named_and_not_waited_for(tmp_path: Path) -> None:
    for name in ("pipe.txt", "pipe.jsonl", "pipe.json"):
        os.mkfifo(tmp_path / name)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.txt"))
        found = reasons(tmp_path)
    assert found == {
        **dict.fromkeys(("pipe.json", "pipe.jsonl", "pipe.txt"), "it is a named pipe, not a regular file"),
        "socket.txt": "it is a socket, not a regular file",
    }
    with pytest.raises(PipelineError, match="neither a file nor a folder"):
        list(find_files([Path("/dev/zero")]))
    with pytest.raises(PipelineError, match="cannot be read"):
        list(find_files([tmp_path / ("x" * 300)]))


def test_names_are_shown_without_control_characters(tmp_path: Path) -> None:
    name = "a\n\x1b]0;x\x07\u202egnp.txt"
    document = load(tmp_path, name, "text")
    assert document.source == str(tmp_path / "a\\n\\x1b]0;x\\x07\\u202egnp.txt")
    assert document.title == "a\\n\\x1b]0;x\\x07\\u202egnp"
    assert len(load(tmp_path, "n" * 251 + ".txt", "text").title) == 251
    (tmp_path / os.fsdecode(b"\xff.txt")).write_text("text")
    assert load_document(tmp_path / os.fsdecode(b"\xff.txt")).title == "\ufffd"


def test_words_are_whole_without_invisible_characters(tmp_path: Path) -> None:
    document = load(
        tmp_path, "a.md", "# Hafen\u00adamt\n\nSee\u200bfahrt, \ufeffBoots\u2060bau&shy;er\n\n\u200b\n\n👩\u200d🚀"
    )
    assert document.title == "Hafenamt"
    assert [block.text for block in document.blocks] == ["Hafenamt", "Seefahrt, Bootsbauer", "👩\u200d🚀"]


def test_titles_and_metadata_are_short_and_on_one_line(tmp_path: Path) -> None:
    text = "\x1b[2J\u202e" + "long " * 20_000
    page = f'<title>{text}</title><meta name=author content="{text}"><p>text</p>'
    document = load(tmp_path, "a.html", page)
    assert document.title.startswith("[2Jlong long")
    assert len(document.title) <= 500
    assert len(str(document.metadata["author"])) <= 256
    assert "\x1b" not in document.title + str(document.metadata["author"])


def test_records_that_cannot_be_read_are_named_up_to_a_limit(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("1\n" * 40_000 + '{"text": "x"}')
    parts = list(file_parts(SourceFile(tmp_path / "a.jsonl")))
    assert [part.first_line for part in parts] == [1, 16_385, 32_769, 40_001]
    documents = [list(load_documents(part)) for part in parts]
    assert [len(part) for part in documents] == [101, 101, 101, 1]
    assert isinstance(documents[0][-1], Unreadable)
    assert documents[0][-1].reason == "16284 more of its records cannot be read"
