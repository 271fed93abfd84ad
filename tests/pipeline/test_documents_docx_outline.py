"""Headings and numbers of a DOCX as they are displayed, and paragraphs that are joined or hidden."""

from __future__ import annotations

from pathlib import Path

import pytest

from retriton_pipeline.documents import load_document
from retriton_pipeline.documents.numerals import numeral
from tests.pipeline.test_documents_docx import NAMES, item, paragraph, run
from tests.pipeline.test_documents_docx_parts import docx, texts


def numbering(*levels: str) -> str:
    definitions = "".join(
        f'<w:lvl w:ilvl="{number}"><w:start w:val="1"/>{level}</w:lvl>' for number, level in enumerate(levels)
    )
    return (
        f'<w:numbering {NAMES}><w:abstractNum w:abstractNumId="0">{definitions}</w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
    )


def level(text: str, style: str = "decimal") -> str:
    return f'<w:numFmt w:val="{style}"/><w:lvlText w:val="{text}"/>'


def style(name: str, properties: str = "", base: str = "") -> str:
    based = f'<w:basedOn w:val="{base}"/>' if base else ""
    return (
        f'<w:style w:type="paragraph" w:styleId="{name}"><w:name w:val="{name}"/>{based}'
        f"<w:pPr>{properties}</w:pPr></w:style>"
    )


def styled(text: str, name: str) -> str:
    return paragraph(run(text), properties=f'<w:pStyle w:val="{name}"/>')


def outlined(tmp_path: Path, raw: bytes) -> list[tuple[int, str]]:
    (tmp_path / "a.docx").write_bytes(raw)
    return [(block.heading_level, block.text) for block in load_document(tmp_path / "a.docx").blocks]


def test_styles_of_the_outline_are_headings(tmp_path: Path) -> None:
    styles = (
        style("Chapter", '<w:outlineLvl w:val="0"/>')
        + style("Annex", base="Chapter")
        + style("Detail", '<w:outlineLvl w:val="7"/>')
        + style("Index", '<w:outlineLvl w:val="9"/>', base="Chapter")
    )
    body = (
        styled("Scope", "Annex")
        + styled("Tiny", "Detail")
        + styled("Contents", "Index")
        + paragraph(run("Marked"), properties='<w:outlineLvl w:val="1"/>')
        + styled("A clause. " * 30, "Chapter")
    )
    raw = docx(body, styles_xml=f"<w:styles {NAMES}>{styles}</w:styles>")
    assert outlined(tmp_path, raw) == [
        (1, "Scope"), (6, "Tiny"), (0, "Contents"), (2, "Marked"), (0, ("A clause. " * 30).strip()),
    ]  # fmt: skip


def test_levels_that_are_skipped_count(tmp_path: Path) -> None:
    raw = docx(
        item("A", 0) + item("B", 2) + item("C", 1), numbering_xml=numbering(*map(level, ("%1", "%1.%2", "%1.%2.%3")))
    )
    assert texts(tmp_path, raw) == ["1 A\n    1.1.1 B\n  1.2 C"]


def test_a_style_can_state_the_level_of_an_inherited_list_alone(tmp_path: Path) -> None:
    styles = style("Top", '<w:numPr><w:numId w:val="1"/></w:numPr><w:outlineLvl w:val="0"/>') + style(
        "Below", '<w:numPr><w:ilvl w:val="1"/></w:numPr><w:outlineLvl w:val="1"/>', base="Top"
    )
    raw = docx(
        styled("A", "Top") + styled("B", "Below"),
        styles_xml=f"<w:styles {NAMES}>{styles}</w:styles>",
        numbering_xml=numbering(level("%1"), level("%1.%2")),
    )
    assert outlined(tmp_path, raw) == [(1, "1 A"), (2, "1.1 B")]


def test_numbers_with_leading_zeros(tmp_path: Path) -> None:
    custom = (
        '<mc:AlternateContent><mc:Choice Requires="w14"><w:numFmt w:val="custom" w:format="001, 002, 003, ..."/>'
        '</mc:Choice><mc:Fallback><w:numFmt w:val="decimal"/></mc:Fallback></mc:AlternateContent>'
        '<w:lvlText w:val="R%1"/>'
    )
    raw = docx(item("A", 0) + item("B", 1), numbering_xml=numbering(custom, level("%2", "decimalZero")))
    assert texts(tmp_path, raw) == ["R001 A\n  01 B"]


def test_lists_of_nine_levels(tmp_path: Path) -> None:
    raw = docx(
        "".join(item(f"L{number}", number) for number in range(9)),
        numbering_xml=numbering(*[level("o", "bullet"), level("%2)")] * 4, level("o", "bullet")),
    )
    (text,) = texts(tmp_path, raw)
    assert text.splitlines()[6:] == [f"{'  ' * 6}- L6", f"{'  ' * 7}1) L7", f"{'  ' * 8}- L8"]


@pytest.mark.parametrize(
    ("content", "mark"),
    [
        (run("gone", "<w:vanish/>"), "<w:vanish/>"),
        (f'<w:moveFrom w:id="1">{run("gone")}</w:moveFrom>', '<w:moveFrom w:id="2"/>'),
        ('<w:del w:id="1"><w:r><w:delText>gone</w:delText></w:r></w:del>', '<w:del w:id="2"/>'),
    ],
)
def test_hidden_moved_and_deleted_paragraphs_have_no_number(tmp_path: Path, content: str, mark: str) -> None:
    number = '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'
    unseen = paragraph(content, properties=f"{number}<w:rPr>{mark}</w:rPr>")
    raw = docx(item("A", 0) + unseen + item("B", 0), numbering_xml=numbering(level("%1.")))
    assert texts(tmp_path, raw) == ["1. A\n2. B"]


def test_a_large_initial_belongs_to_its_paragraph(tmp_path: Path) -> None:
    initial = paragraph(run("O"), properties='<w:framePr w:dropCap="drop" w:lines="3"/>')
    assert texts(tmp_path, docx(initial + paragraph(run("nce upon a time.")))) == ["Once upon a time."]


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("russianLower", "а", "б"), ("hebrew2", "א", "ב"), ("ganada", "가", "나"), ("irohaFullWidth", "イ", "ロ"),
        ("aiueoFullWidth", "ア", "イ"), ("decimalFullWidth", "１", "２"),
        ("cardinalText", "One", "Two"), ("ordinalText", "First", "Second"),
    ],
)  # fmt: skip
def test_letters_of_other_scripts_and_words(tmp_path: Path, kind: str, first: str, second: str) -> None:
    raw = docx(item("A", 0) + item("B", 0), numbering_xml=numbering(level("%1)", kind)))
    assert texts(tmp_path, raw) == [f"{first}) A\n{second}) B"]


def test_numbers_in_words() -> None:
    assert [numeral(number, "cardinalText") for number in (8, 20, 21, 99, 100)] == [
        "Eight", "Twenty", "Twenty-one", "Ninety-nine", "100",
    ]  # fmt: skip
    assert [numeral(7, style) for style in ("decimalZero", "decimalZero3", "decimalZero999999999", "decimalZerox")] == [
        "07", "007", "7", "7",
    ]  # fmt: skip
    assert [numeral(number, "ordinalText") for number in (8, 12, 13, 20, 32)] == [
        "Eighth", "Twelfth", "Thirteenth", "Twentieth", "Thirty-second",
    ]  # fmt: skip
