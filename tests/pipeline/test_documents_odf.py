"""OpenDocument files: numbers of lists and headings, fields, indexes, charts, and slides."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from retriton_pipeline.documents import load_document

_KINDS = {"draw": "drawing", "number": "datastyle", "xlink": ""}
NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{_KINDS.get(name, name)}:1.0"'
    for name in ("office", "text", "table", "style", "draw", "chart", "presentation")
) + ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:svg="urn:svg"'  # fmt: skip


def read(
    folder: Path, kind: str, body: str, styles: str = "", usual: str = "", **parts: str
) -> list[tuple[str, int, int | None]]:
    suffix = {"text": "odt", "spreadsheet": "ods", "presentation": "odp"}[kind]
    with zipfile.ZipFile(folder / f"a.{suffix}", "w") as made:
        made.writestr(
            "content.xml",
            f"<office:document-content {NAMES}><office:automatic-styles>{styles}</office:automatic-styles><office:body>"
            f"<office:{kind}>{body}</office:{kind}></office:body></office:document-content>",
        )
        made.writestr("styles.xml", f"<office:document-styles {NAMES}>{usual}</office:document-styles>")
        for name, content in parts.items():
            made.writestr(f"{name}/content.xml", content)
    return [(block.text, block.heading_level, block.page) for block in load_document(folder / f"a.{suffix}").blocks]


def texts(folder: Path, body: str, styles: str = "", usual: str = "", **parts: str) -> list[str]:
    return [text for text, _, _ in read(folder, "text", body, styles, usual, **parts)]


def p(text: str, style: str = "") -> str:
    return f'<text:p text:style-name="{style}">{text}</text:p>'


def list_(attributes: str, *items: str) -> str:
    return (
        f"<text:list {attributes}>{''.join(f'<text:list-item>{item}</text:list-item>' for item in items)}</text:list>"
    )


NUMBERS = (
    '<text:list-style style:name="L"><text:list-level-style-number text:level="1" style:num-suffix="." '
    'style:num-format="1"/></text:list-style>'
)
OUTLINE = "".join(
    f'<text:outline-level-style text:level="{level}" style:num-format="1" text:display-levels="{level}"/>'
    for level in (1, 2, 3)
)


def test_lists_that_continue_others(tmp_path: Path) -> None:
    style = 'text:style-name="L"'
    body = (
        list_(f'xml:id="first" {style}', p("a"), p("b"))
        + p("Between.")
        + list_(f'text:continue-list="first" {style}', p("c"))
        + p("Then.")
        + list_(style, p("d"))
    )
    assert texts(tmp_path, body, NUMBERS) == ["1. a\n2. b", "Between.", "3. c", "Then.", "1. d"]


def test_the_style_of_a_paragraph_can_state_that_of_its_list(tmp_path: Path) -> None:
    style = '<style:style style:name="N" style:family="paragraph" style:list-style-name="L"/>'
    assert texts(tmp_path, list_("", p("a", "N"), p("b", "N")), NUMBERS + style) == ["1. a\n2. b"]


def test_levels_of_headings_that_are_skipped_and_headings_without_a_number(tmp_path: Path) -> None:
    body = "".join(
        f'<text:h text:outline-level="{level}" {more}>{text}</text:h>'
        for level, text, more in (
            (1, "A", ""), (3, "B", ""), (2, "C", ""), (1, "Preface", 'text:is-list-header="true"'), (1, "D", ""),
        )
    )  # fmt: skip
    outline = f"<text:outline-style>{OUTLINE}</text:outline-style>"
    assert texts(tmp_path, body, usual=outline) == ["1 A", "1.1.1 B", "1.2 C", "Preface", "2 D"]


@pytest.mark.parametrize(
    "unseen",
    [
        '<text:variable-set text:display="none">x</text:variable-set>',
        "<text:script>x</text:script>",
        '<text:user-field-get text:display="none">x</text:user-field-get>',
    ],
)
def test_fields_without_a_display(tmp_path: Path, unseen: str) -> None:
    assert texts(tmp_path, p(f"Seen{unseen} <text:variable-set>too</text:variable-set>.")) == ["Seen too."]


def test_hidden_sections_and_templates_of_indexes(tmp_path: Path) -> None:
    body = (
        f'<text:section text:display="condition" text:is-hidden="true">{p("x")}</text:section>'
        f'<text:section text:display="condition" text:is-hidden="false">{p("Seen.")}</text:section>'
        "<text:table-of-content><text:table-of-content-source><text:index-title-template>x</text:index-title-template>"
        f"</text:table-of-content-source><text:index-body>{p('Scope<text:tab/>3')}</text:index-body>"
        "</text:table-of-content>"
    )
    assert texts(tmp_path, body) == ["Seen.", "Scope 3"]


def cell(text: str, more: str = "") -> str:
    return f"<table:table-cell>{p(text)}{more}</table:table-cell>"


def row(*cells: str) -> str:
    return f"<table:table-row>{''.join(cells)}</table:table-row>"


CHART = (
    f"<office:document-content {NAMES}><office:body><office:chart><chart:chart><chart:title>{p('Rent')}</chart:title>"
    f"<chart:plot-area><chart:axis><chart:title>{p('EUR million')}</chart:title></chart:axis></chart:plot-area>"
    f'<table:table table:name="local-table"><table:table-header-rows>'
    f"{row(cell(''), cell('East', '<draw:g><svg:desc>S.A1</svg:desc></draw:g>'))}</table:table-header-rows>"
    f"{row(cell('Q1'), cell('5'))}</table:table></chart:chart></office:chart></office:body></office:document-content>"
)
DRAWN = '<draw:frame><draw:object xlink:href="./Object"/></draw:frame>'


def test_charts_of_texts_have_titles_and_a_table(tmp_path: Path) -> None:
    assert texts(tmp_path, p("Before.") + p(DRAWN) + p("After."), Object=CHART) == [
        "Before.", "Rent", "EUR million", "|  | East |\n|---|---|\n| Q1 | 5 |", "After.",
    ]  # fmt: skip


def test_charts_shapes_and_times_of_sheets(tmp_path: Path) -> None:
    time = '<table:table-cell office:value-type="time" office:time-value="PT26H05M00S"/>'
    shapes = f"<table:shapes>{DRAWN}<draw:custom-shape>{p('Note')}</draw:custom-shape></table:shapes>"
    body = f'<table:table table:name="S">{shapes}{row(cell("Map"), cell("Time"))}{row(cell("sea"), time)}</table:table>'
    assert [text for text, _, _ in read(tmp_path, "spreadsheet", body, Object=CHART)] == [
        "S", "| Map | Time |\n|---|---|\n| sea | 26:05:00 |", "Note", "Rent\nEUR million",
    ]  # fmt: skip


def test_slides(tmp_path: Path) -> None:
    def frame(content: str, kind: str = "outline") -> str:
        return f'<draw:frame presentation:class="{kind}">{content}</draw:frame>'

    def box(content: str, kind: str = "outline") -> str:
        return frame(f"<draw:text-box>{content}</draw:text-box>", kind)

    table = f"<table:table>{row(cell('Map'), cell('Days'))}{row(cell('sea'), cell('4'))}</table:table>"
    pages = (
        box(list_("", p("One") + list_("", p("Sub")), p("Two")))
        + box(p("Agenda"), "title")
        + box(p("12"), "page-number")
        + f"<presentation:notes><draw:page-thumbnail/>{box(p('Say hi.'), 'notes')}</presentation:notes>",
        box(p("secret")),
        frame(table) + f"<draw:custom-shape>{p('Shape')}</draw:custom-shape>{DRAWN}",
    )
    style = (
        '<style:style style:name="Hidden" style:family="drawing-page"><style:drawing-page-properties '
        'presentation:visibility="hidden"/></style:style>'
    )
    body = "".join(
        f'<draw:page draw:style-name="{"Hidden" if number == 1 else ""}">{page}</draw:page>'
        for number, page in enumerate(pages)
    )
    assert read(tmp_path, "presentation", body, style, Object=CHART) == [
        ("Agenda", 1, 1), ("- One\n  - Sub\n- Two", 0, 1), ("Notes: Say hi.", 0, 1),
        ("| Map | Days |\n|---|---|\n| sea | 4 |", 0, 3), ("Shape", 0, 3),
        ("Rent", 0, 3), ("EUR million", 0, 3), ("|  | East |\n|---|---|\n| Q1 | 5 |", 0, 3),
    ]  # fmt: skip
