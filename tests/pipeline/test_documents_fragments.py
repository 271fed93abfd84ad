"""Fields that hold HTML, in JSON, CSV and XML, and trees of rich text in JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import xlsxwriter

from retriton_pipeline.documents import load_document
from retriton_pipeline.documents.html.fragments import is_html, shown_text

PAGE = "<h3>Before</h3><p>Unplug&nbsp;it &amp; wait.</p><ul><li>one</li><li>two</li></ul>"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("if a < b and c > d", "if a < b and c > d"),
        ("x<i && i>y", "x<i && i>y"),
        ("a <b and c> d", "a <b and c> d"),
        ("List<String> names", "List<String> names"),
        ("Close it with `</p>`, open it with `<p>`.", "Close it with `</p>`, open it with `<p>`."),
        ("# Notes\n\n<p align=center>Logo</p>\n\n- one", "# Notes\n\n<p align=center>Logo</p>\n\n- one"),
        ("<p>See</p>\n\n[docs](a.md)", "<p>See</p>\n\n[docs](a.md)"),
        ("p = &sum;", "p = &sum;"),
        ("Fish &amp; Chips &#8211; &ldquo;hot&rdquo;", "Fish & Chips – “hot”"),
        ("Write `&amp;` for an ampersand.", "Write `&amp;` for an ampersand."),
        ("One<br>two", "One two"),
        ("Use <em>silicone</em>, not oil.", "Use silicone, not oil."),
        (" <P CLASS='a'>Hold <B>RST</B></P>", "Hold RST"),
        ("<table><tr><td>red</td><td>stop</td></tr></table>", "red stop"),
        ("<p hidden>no</p><p>yes</p>", "yes"),
        ("<p></p>", ""),
    ],
)
def test_html_is_shown_and_other_texts_are_unchanged(text: str, shown: str) -> None:
    assert shown_text(text) == shown


def test_a_page_that_is_nested_too_deeply_stays_as_it_is() -> None:
    text = "<div>" * 2_000 + "a</div>"
    assert is_html(text)
    assert shown_text(text) in (text, "a")


def test_html_in_json_has_blocks(tmp_path: Path) -> None:
    records = [
        {"title": "Fish &amp; Chips", "body": PAGE, "tags": ["a"]},
        {
            "title": "Posts",
            "posts": [{"name": "Kim", "cooked": "<p>My <code>fan</code> rattles.</p>", "post_number": 1}],
        },
        {"title": "Blog", "content": {"rendered": "First <b>bold</b>.\n\nSecond <a href='x'>link</a>."}},
        {"title": "Wiki", "text": "<p>Run</p><ac:plain-text-body><![CDATA[a <b\n  c]]></ac:plain-text-body>"},
        {"title": "Chat", "text": "The fix is in <https://git.example.org/7|PR 7> &amp; a &lt; b"},
        {"title": "Sizes", "notes": "<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>"},
    ]
    expected = [
        ["Before", "Unplug it & wait.", "- one\n- two"],
        ["posts", "Kim", "My fan rattles."],
        ["First bold.", "Second link."],
        ["Run", "```\na <b\n  c\n```"],
        ["The fix is in PR 7 & a < b"],
        ["notes:", "| A | B |\n|---|---|\n| 1 | 2 |"],
    ]
    for record, blocks in zip(records, expected, strict=True):
        (tmp_path / "a.json").write_text(json.dumps(record))
        document = load_document(tmp_path / "a.json")
        assert [block.text for block in document.blocks] == blocks
    assert "Fish & Chips" in shown_text("Fish &amp; Chips")


def test_html_in_csv_is_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f'id,title,body_html\n1,Reset,"{PAGE}"\n2,Compare,a < b and c > d\n')
    assert [block.text for block in load_document(tmp_path / "a.csv").blocks] == [
        "| id | title | body_html |\n|---|---|---|\n| 1 | Reset | Before Unplug it & wait. - one - two |\n"
        "| 2 | Compare | a < b and c > d |"
    ]


def test_html_in_xlsx_is_text(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as workbook:
        sheet = workbook.add_worksheet("Pages")
        sheet.write_row(0, 0, ["title", "body"])
        sheet.write_row(1, 0, ["Fish &amp; Chips", "<p>Hold <b>RST</b>.</p>"])
        sheet.write_row(2, 0, ["Compare", "a < b and c > d"])
    assert load_document(tmp_path / "a.xlsx").blocks[1].text == (
        "| title | body |\n|---|---|\n| Fish & Chips | Hold RST. |\n| Compare | a < b and c > d |"
    )


def test_code_in_the_pages_of_a_wiki_is_kept(tmp_path: Path) -> None:
    macro = "<p>Pull.</p><ac:plain-text-body><![CDATA[lever --pull]]]]><![CDATA[></ac:plain-text-body>"
    (tmp_path / "a.xml").write_text(f"<pages><page><body><![CDATA[{macro}]]></body></page></pages>")
    assert [block.text for block in load_document(tmp_path / "a.xml").blocks] == ["Pull.", "lever --pull"]


def _text(text: str, **others: object) -> dict[str, object]:
    return {"type": "text", "text": text, **others}


def _node(kind: str, *content: dict[str, object], **others: object) -> dict[str, object]:
    return {"type": kind, "content": list(content), **others}


def _jira() -> dict[str, object]:
    def row(*texts: str) -> dict[str, object]:
        return _node("tableRow", *(_node("tableCell", _node("paragraph", _text(text))) for text in texts))

    mention = {"type": "mention", "attrs": {"id": "1", "text": "@Mia"}}
    first = _node("listItem", _node("paragraph", _text("one")), _node("bulletList", _node("listItem", _text("deep"))))
    return _node(
        "doc",
        _node("heading", _text("Leak"), attrs={"level": 2}),
        _node("paragraph", _text("It leaks "), _text("badly", marks=[{"type": "strong"}]), _text(", "), mention),
        _node("orderedList", first, _node("listItem", _text("two"))),
        _node("codeBlock", _text("ls\n-l"), attrs={"language": "sh"}),
        _node(
            "expand", _node("paragraph", _text("Open."), {"type": "hardBreak"}, _text("Pull.")), attrs={"title": "How"}
        ),
        _node("table", row("K", "V"), row("a", "1")),
        version=1,
    )


def test_trees_of_rich_text_have_blocks(tmp_path: Path) -> None:
    lexical = {"root": {"type": "root", "children": [
        {"type": "heading", "tag": "h3", "children": [_text("Head", format=0, style="")]},
        {"type": "paragraph", "children": [_text("See "), {"type": "link", "url": "x", "children": [_text("docs")]}]},
        {"type": "list", "tag": "ol", "children": [{"type": "listitem", "value": 1, "children": [_text("one")]}]},
    ]}}  # fmt: skip
    sanity = [
        {"_type": "block", "children": [{"_type": "span", "text": text, "marks": []}], **others}
        for text, others in (("Head", {"style": "h2"}), ("a", {"listItem": "bullet", "level": 1}), ("b", {}))
    ]
    contentful = {"nodeType": "document", "data": {}, "content": [
        {"nodeType": "paragraph", "data": {}, "content": [
            {"nodeType": "text", "value": "Go "}, {"nodeType": "hyperlink", "data": {"uri": "x"}, "content": [
                {"nodeType": "text", "value": "there"}]}]}]}  # fmt: skip
    notion = {"paragraph": {"rich_text": [{"type": "text", "plain_text": "Hello "}, {"plain_text": "you"}]}}
    menu = [{"type": "link", "label": "Go to the pier", "children": [{"type": "x", "text": "a b"}]}]
    expected: list[tuple[object, list[str]]] = [
        (_jira(), ["Leak", "It leaks badly, @Mia", "1. one\n  - deep\n2. two", "ls\n-l", "How", "Open.\nPull.",
                   "| K | V |\n|---|---|\n| a | 1 |"]),
        (lexical, ["Head", "See docs", "1. one"]),
        (sanity, ["Head", "- a", "b"]),
        (contentful, ["Go there"]),
        (notion, ["paragraph", "Hello you"]),
        (menu, ["type: link", "label: Go to the pier", "a b"]),
    ]  # fmt: skip
    for content, blocks in expected:
        (tmp_path / "a.json").write_text(json.dumps({"title": "A", "content": content}))
        assert [block.text for block in load_document(tmp_path / "a.json").blocks] == blocks


def test_the_speaker_of_a_message_can_be_in_an_object(tmp_path: Path) -> None:
    message = {"author": {"role": "user"}, "content": {"parts": ["Why does it leak?"]}}
    (tmp_path / "a.json").write_text(json.dumps({"title": "A", "mapping": [{"message": message}]}))
    texts = [block.text for block in load_document(tmp_path / "a.json").blocks]
    assert texts == ["mapping", "message", "author: user", "Why does it leak?"]
