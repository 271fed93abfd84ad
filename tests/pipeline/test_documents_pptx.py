from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree
from pptx import Presentation
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI
from pptx.oxml import parse_xml
from pptx.slide import Slide
from pptx.util import Inches

from retriton_pipeline.documents import load_document

SCHEMAS = "http://schemas.openxmlformats.org"
NAMES = (
    f'xmlns:a="{SCHEMAS}/drawingml/2006/main" xmlns:p="{SCHEMAS}/presentationml/2006/main" '
    f'xmlns:r="{SCHEMAS}/officeDocument/2006/relationships" xmlns:dgm="{SCHEMAS}/drawingml/2006/diagram" '
    f'xmlns:mc="{SCHEMAS}/markup-compatibility/2006" xmlns:m="{SCHEMAS}/officeDocument/2006/math" '
    'xmlns:a14="http://schemas.microsoft.com/office/drawing/2010/main"'
)
Read = Callable[[Callable[[Slide], None]], list[tuple[str, int | None]]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads a presentation with an empty slide, a filled one and one with the text "End"; texts with their pages."""

    def read(fill: Callable[[Slide], None]) -> list[tuple[str, int | None]]:
        made = Presentation()
        _, filled, last = (made.slides.add_slide(made.slide_layouts[6]) for _ in range(3))
        fill(filled)
        add_text(last, "End")
        made.save(tmp_path / "a.pptx")
        return [(block.text, block.page) for block in load_document(tmp_path / "a.pptx").blocks]

    return read


def add_text(slide: Slide, text: str, left: float = 1) -> None:
    slide.shapes.add_textbox(Inches(left), Inches(1), Inches(2), Inches(1)).text_frame.text = text


def shape(body: str, placeholder: str = "", hidden: str = "") -> str:
    return (
        f'<p:sp {NAMES}><p:nvSpPr><p:cNvPr id="40" name="s" {hidden}/><p:cNvSpPr/><p:nvPr>{placeholder}</p:nvPr>'
        f"</p:nvSpPr><p:spPr/><p:txBody><a:bodyPr/>{body}</p:txBody></p:sp>"
    )


def paragraph(text: str, properties: str = "") -> str:
    return f"<a:p>{properties}<a:r><a:t>{text}</a:t></a:r></a:p>"


@pytest.mark.parametrize("kind", ["dt", "ftr", "sldNum"])
def test_what_each_slide_repeats_is_not_read(read: Read, kind: str) -> None:
    def fill(slide: Slide) -> None:
        slide.shapes._spTree.append(parse_xml(shape(paragraph("repeated"), f'<p:ph type="{kind}" idx="9"/>')))

    assert read(fill) == [("End", 3)]


def test_hidden_shapes_and_fields_alone_and_shapes_beside_the_slide_are_not_read(read: Read) -> None:
    field = '<a:p><a:fld id="{1}" type="slidenum"><a:t>2</a:t></a:fld></a:p>'

    def fill(slide: Slide) -> None:
        slide.shapes._spTree.append(parse_xml(shape(paragraph("hidden"), hidden='hidden="1"')))
        slide.shapes._spTree.append(parse_xml(shape(field)))
        slide.shapes._spTree.append(parse_xml(shape(field.replace("<a:p>", "<a:p><a:r><a:t>Pier </a:t></a:r>"))))
        add_text(slide, "beside", left=30)

    assert read(fill) == [("Pier 2", 2), ("End", 3)]


def test_hidden_slides_are_skipped_and_count(read: Read) -> None:
    def fill(slide: Slide) -> None:
        add_text(slide, "secret")
        slide.element.set("show", "0")

    assert read(fill) == [("End", 3)]


def test_smartart_is_read_as_a_list(read: Read) -> None:
    points = "".join(f'<dgm:pt modelId="{key}"><dgm:t>{paragraph(text)}</dgm:t></dgm:pt>'
                     for key, text in (("3", "Boats"), ("1", "Port"), ("2", "Cranes")))  # fmt: skip
    below = "".join(f'<dgm:cxn srcId="{above}" destId="{key}" srcOrd="{order}"/>'
                    for above, key, order in (("0", "1", 0), ("1", "3", 1), ("1", "2", 0)))  # fmt: skip
    data = f'<dgm:dataModel {NAMES}><dgm:pt modelId="0" type="doc"/>{points}{below}</dgm:dataModel>'
    frame = (
        f'<p:graphicFrame {NAMES}><p:nvGraphicFramePr><p:cNvPr id="9" name="d"/><p:cNvGraphicFramePr/><p:nvPr/>'
        '</p:nvGraphicFramePr><p:xfrm><a:off x="0" y="0"/><a:ext cx="9" cy="9"/></p:xfrm><a:graphic><a:graphicData '
        'uri="d"><dgm:relIds r:dm="{}"/></a:graphicData></a:graphic></p:graphicFrame>'
    )

    def fill(slide: Slide) -> None:
        part = Part(PackURI("/ppt/diagrams/data1.xml"), "application/xml", slide.part.package, data.encode())
        key = slide.part.relate_to(part, RELATIONSHIP_TYPE.DIAGRAM_DATA)
        slide.shapes._spTree.append(parse_xml(frame.replace("{}", key)))

    assert read(fill) == [("- Port\n  - Cranes\n  - Boats", 2), ("End", 3)]


def test_numbered_paragraphs_have_their_numbers(read: Read) -> None:
    letters, numbers = '<a:buAutoNum type="alphaLcParenR"/>', '<a:buAutoNum type="arabicPeriod" startAt="4"/>'
    body = "".join([
        paragraph("Tow", f"<a:pPr>{numbers}</a:pPr>"), paragraph("slowly", f'<a:pPr lvl="1">{letters}</a:pPr>'),
        paragraph("safely", f'<a:pPr lvl="1">{letters}</a:pPr>'), paragraph("Moor", f"<a:pPr>{numbers}</a:pPr>"),
        paragraph("Then rest"), paragraph("Leave", f"<a:pPr>{numbers}</a:pPr>"),
    ])  # fmt: skip
    texts = read(lambda slide: slide.shapes._spTree.append(parse_xml(shape(body))))
    assert texts[0][0].split("\n") == ["4. Tow", "  a) slowly", "  b) safely", "5. Moor", "Then rest", "4. Leave"]


def test_shapes_with_formulas_are_read(read: Read) -> None:
    formula = (
        "<a14:m><m:oMath><m:sSup><m:e><m:r><m:t>x</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup>"
    )
    body = f"<a:p><a:r><a:t>Area </a:t></a:r>{formula}</m:oMath></a14:m></a:p>"
    content = (f'<mc:AlternateContent {NAMES}><mc:Choice Requires="a14">{shape(body)}</mc:Choice><mc:Fallback>'
               f"{shape(paragraph('picture'))}</mc:Fallback></mc:AlternateContent>")  # fmt: skip
    assert read(lambda slide: slide.shapes._spTree.append(parse_xml(content))) == [("Area x^2", 2), ("End", 3)]


def test_blank_paragraphs_have_no_number_and_some_numbers_are_circled(read: Read) -> None:
    circled = '<a:pPr><a:buAutoNum type="circleNumDbPlain"/></a:pPr>'
    body = paragraph("Tow", circled) + paragraph("", circled) + paragraph("Moor", circled)
    texts = read(lambda slide: slide.shapes._spTree.append(parse_xml(shape(body))))
    assert texts[0][0] == "① Tow\n② Moor"


def test_numbers_and_levels_of_list_styles_layouts_and_cells(tmp_path: Path) -> None:
    def style(kind: str) -> etree._Element:
        return parse_xml(f'<a:lvl1pPr {NAMES}><a:buAutoNum type="{kind}"/></a:lvl1pPr>')

    made = Presentation()
    layout = made.slide_layouts[1]
    next(layout.placeholders[1].element.iter("{*}lstStyle")).append(style("arabicParenR"))
    slide = made.slides.add_slide(layout)
    slide.placeholders[1].text_frame.text = "one\ntwo"
    slide.placeholders[1].text_frame.paragraphs[1].level = 1
    box = slide.shapes.add_textbox(Inches(1), Inches(6), Inches(2), Inches(1))
    box.text_frame.text = "Tow"
    next(box.element.iter("{*}lstStyle")).append(style("alphaUcPeriod"))
    cells = slide.shapes.add_table(2, 2, Inches(1), Inches(7), Inches(4), Inches(0.4)).table
    for number, text in enumerate(("Step", "Tasks", "One", "first\nsecond")):
        cells.cell(number // 2, number % 2).text_frame.text = text
    for task in cells.cell(1, 1).text_frame.paragraphs:
        task._p.get_or_add_pPr().append(parse_xml(f'<a:buAutoNum {NAMES} type="romanLcPeriod"/>'))
    made.save(tmp_path / "a.pptx")
    assert [block.text for block in load_document(tmp_path / "a.pptx").blocks] == [
        "1) one\n  two", "A. Tow", "| Step | Tasks |\n|---|---|\n| One | i. first ii. second |",
    ]  # fmt: skip


def test_of_drawings_by_hand_the_alternative_is_read(read: Read) -> None:
    alternatives = (
        f'<mc:AlternateContent {NAMES}><mc:Choice Requires="p14"><p:contentPart r:id="rId9"/></mc:Choice>'
        f"<mc:Fallback>{shape(paragraph('Drawn'))}</mc:Fallback></mc:AlternateContent>"
    )

    def fill(slide: Slide) -> None:
        slide.shapes._spTree.append(parse_xml(alternatives))
        slide.shapes._spTree.append(parse_xml(f'<p:contentPart {NAMES} r:id="rId9"/>'))

    assert read(fill) == [("Drawn", 2), ("End", 3)]
