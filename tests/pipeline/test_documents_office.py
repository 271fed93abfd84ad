from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import docx
import pytest
from openpyxl import Workbook
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from retriton_pipeline.documents import Document, FilePart, Unreadable, load_document, load_documents
from retriton_pipeline.documents.office.archive import open_archive
from retriton_pipeline.errors import UnreadableDocument

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MATH = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'


def saved(save: Callable[[Any], None], path: Path) -> Document:
    buffer = io.BytesIO()
    save(buffer)
    path.write_bytes(buffer.getvalue())
    return load_document(path)


def archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return buffer.getvalue()


def replace_in_member(file: Path, member: str, old: bytes, new: bytes) -> None:
    with zipfile.ZipFile(file) as original:
        members = {name: original.read(name) for name in original.namelist()}
    assert old in members[member]
    members[member] = members[member].replace(old, new)
    with zipfile.ZipFile(file, "w") as changed:
        for name, content in members.items():
            changed.writestr(name, content)


def outline(document: Document) -> list[tuple[str, int, int | None]]:
    return [(block.text, block.heading_level, block.page) for block in document.blocks]


def test_docx(tmp_path: Path) -> None:
    made = docx.Document()
    made.core_properties.title = "Microsoft Word - draft.doc"
    made.core_properties.author = "Ann"
    made.add_heading("The report", 0)
    made.add_heading("Costs", 1)
    made.add_paragraph("They rose.")
    made.add_paragraph("one", style="List Bullet")
    table = made.add_table(2, 2)
    cells = [cell for row in table.rows for cell in row.cells]
    for cell, text in zip(cells, ["Year", "Cost", "2025", "7"], strict=True):
        cell.text = text
    document = saved(made.save, tmp_path / "a.docx")
    assert document.title == "The report"
    assert document.metadata["author"] == "Ann"
    assert outline(document) == [
        ("The report", 1, None),
        ("Costs", 1, None),
        ("They rose.", 0, None),
        ("- one", 0, None),
        ("| Year | Cost |\n|---|---|\n| 2025 | 7 |", 0, None),
    ]


def test_docx_formulas_are_part_of_their_sentence(tmp_path: Path) -> None:
    made = docx.Document()
    paragraph = made.add_paragraph("The area is ")
    fraction = "<m:f><m:num><m:r><m:t>a+b</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f>"
    power = "<m:sSup><m:e><m:r><m:t>r</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup>"
    formula = f"<m:oMath {MATH}>{power}<m:r><m:t>=</m:t></m:r>{fraction}</m:oMath>"
    paragraph.add_run("FORMULA")
    paragraph.add_run(" here.")
    made.save(tmp_path / "a.docx")
    replace_in_member(tmp_path / "a.docx", "word/document.xml", b"<w:r><w:t>FORMULA</w:t></w:r>", formula.encode())
    assert [block.text for block in load_document(tmp_path / "a.docx").blocks] == ["The area is r^2=(a+b)/2 here."]


def test_pptx(tmp_path: Path) -> None:
    made = Presentation()
    slide = made.slides.add_slide(made.slide_layouts[5])
    slide.shapes.title.text = "Sales"
    table = slide.shapes.add_table(2, 2, Inches(1), Inches(4), Inches(4), Inches(1)).table
    for index, text in enumerate(["Year", "Sales", "2025", "7"]):
        table.cell(index // 2, index % 2).text = text
    group = slide.shapes.add_group_shape()  # drawn last, but stands above the table
    group.shapes.add_textbox(Inches(1), Inches(2), Inches(4), Inches(1)).text_frame.text = "They rose."
    data = CategoryChartData()
    data.categories = ["Q1", "Q2"]
    data.add_series("Costs", (1.5, 2.5))
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(6), Inches(4), Inches(1), data)
    slide.notes_slide.notes_text_frame.text = "Say why."
    made.slides.add_slide(made.slide_layouts[5]).shapes.title.text = "Outlook"
    document = saved(made.save, tmp_path / "a.pptx")
    assert document.title == "Sales"
    assert outline(document) == [
        ("Sales", 1, 1),
        ("They rose.", 0, 1),
        ("| Year | Sales |\n|---|---|\n| 2025 | 7 |", 0, 1),
        ("|  | Costs |\n|---|---|\n| Q1 | 1.5 |\n| Q2 | 2.5 |", 0, 1),
        ("Notes: Say why.", 0, 1),
        ("Outlook", 1, 2),
    ]


def workbook(*sheets: tuple[str, list[list[object]]]) -> Workbook:
    made = Workbook(write_only=True)
    for name, rows in sheets:
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    return made


def test_xlsx(tmp_path: Path) -> None:
    rows = [
        ["Report"], [], [], [None, "Name", None, "Rate", "Day"],
        [None, "a", None, 0.1 + 0.2, datetime(2025, 1, 2)], [None, "b", None, 3.0, None],
    ]  # fmt: skip
    document = saved(workbook(("Rates", rows), ("Empty", [])).save, tmp_path / "a.xlsx")
    assert document.title == "a"
    assert outline(document) == [
        ("Rates", 1, None),
        ("Report", 0, None),
        ("| Name | Rate | Day |\n|---|---|---|\n| a | 0.3 | 2025-01-02 |\n| b | 3 |  |", 0, None),
    ]


def test_xlsx_headers_of_several_rows_are_one(tmp_path: Path) -> None:
    rows = [["CHF", None, "2023"], [None, "Sales", "Profit"], [], ["Zone A", 1, 2], ["Zone B", 3, 4]]
    document = saved(workbook(("S", rows)).save, tmp_path / "a.xlsx")
    assert document.blocks[1].header == "| CHF | Sales | 2023 Profit |\n|---|---|---|"


def test_a_small_sheet_that_declares_too_many_rows_is_unreadable(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    workbook(("S", [["a"], ["b"]])).save(file)
    replace_in_member(file, "xl/worksheets/sheet1.xml", b'r="2"', b'r="999999999"')
    replace_in_member(file, "xl/worksheets/sheet1.xml", b'r="A2"', b'r="A999999999"')
    with pytest.raises(UnreadableDocument, match="more than"):
        load_document(file)


def test_an_archive_that_unpacks_to_too_much_is_unreadable() -> None:
    raw = archive(xl__workbook_xml=b"<a/>", media=b"0" * 5000)
    with pytest.raises(UnreadableDocument, match="unpacks to 5004 bytes, more than the limit of 5000"):
        open_archive(raw, "an XLSX", "xl/workbook.xml", bytes_max=5000)


def test_odt(tmp_path: Path) -> None:
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "text", "table")
    )
    row = f"<table:table-row>{'<table:table-cell><text:p>{}</text:p></table:table-cell>' * 2}</table:table-row>"
    body = (
        '<text:h text:outline-level="2">Costs</text:h><text:p>They<text:s/>rose<text:note><text:note-citation>1'
        "</text:note-citation><text:note-body><text:p>A lot.</text:p></text:note-body></text:note>.</text:p>"
        "<text:list><text:list-item><text:p>one</text:p></text:list-item></text:list>"
        f"<table:table>{row.format('Year', 'Cost')}{row.format('2025', '7')}</table:table>"
    )
    content = f"<office:document {names}><office:body><office:text>{body}</office:text></office:body></office:document>"
    file = tmp_path / "a.odt"
    file.write_bytes(archive(content_xml=content.encode()))
    assert outline(load_document(file)) == [
        ("Costs", 2, None),
        ("They rose.", 0, None),
        ("1 A lot.", 0, None),
        ("- one", 0, None),
        ("| Year | Cost |\n|---|---|\n| 2025 | 7 |", 0, None),
    ]


def test_chapters_that_cannot_be_read_are_named_and_the_others_stored(tmp_path: Path) -> None:
    names = ("good.xhtml", "gone.xhtml", "binary.xhtml", "last.xhtml")
    items = "".join(f'<item id="{name}" href="{name}"/>' for name in names)
    spine = "".join(f'<itemref idref="{name}"/>' for name in (*names, "unlisted"))
    chapters = {"good.xhtml": b"<p>First.</p>", "binary.xhtml": b"\x89PNG\0\1", "last.xhtml": b"<p>Last.</p>"}
    file = tmp_path / "a.epub"
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("META-INF/container.xml", '<container><rootfile full-path="p.opf"/></container>')
        made.writestr("p.opf", f"<package><manifest>{items}</manifest><spine>{spine}</spine></package>")
        for name, content in chapters.items():
            made.writestr(name, content)
    document, *unreadable = load_documents(FilePart(file))
    assert isinstance(document, Document)
    assert [block.text for block in document.blocks] == ["First.", "Last."]
    reasons = {item.source: item.reason for item in unreadable if isinstance(item, Unreadable)}
    assert list(reasons) == [f"{file}#gone.xhtml", f"{file}#binary.xhtml", f"{file}#unlisted"]
    assert "missing" in reasons[f"{file}#gone.xhtml"]
    assert "PNG" in reasons[f"{file}#binary.xhtml"]


def read_odt(folder: Path, body: str, styles: str = "") -> list[str]:
    names = " ".join(f'xmlns:{name}="urn:x:{name}"' for name in ("office", "text", "table", "style"))
    content = (f"<office:document {names}><office:automatic-styles>{styles}</office:automatic-styles><office:body>"
               f"<office:text>{body}</office:text></office:body></office:document>")  # fmt: skip
    (folder / "a.odt").write_bytes(archive(content_xml=content.encode()))
    return [block.text for block in load_document(folder / "a.odt").blocks]


def test_odt_notes_follow_the_paragraph_or_list_that_refers_to_them(tmp_path: Path) -> None:
    def note(*texts: str) -> str:
        paragraphs = "".join(f"<text:p>{text}</text:p>" for text in texts)
        return f"<text:note><text:note-body>{paragraphs}</text:note-body></text:note>"

    body = (f"<text:p>A{note('first')}b{note('second', 'its end')}c</text:p><text:list><text:list-item><text:p>d"
            f"{note('third')}</text:p></text:list-item><text:list-item><text:p>e</text:p></text:list-item></text:list>"
            )  # fmt: skip
    assert read_odt(tmp_path, body) == ["Abc", "first", "second", "its end", "- d\n- e", "third"]


@pytest.mark.parametrize("property_", ['text:display="none"', 'style:text-line-through-style="solid"'])
def test_odt_hidden_and_struck_text_is_not_read(tmp_path: Path, property_: str) -> None:
    styles = (
        f'<style:style style:name="H"><style:text-properties {property_}/></style:style>'
        '<style:style style:name="S"><style:text-properties style:text-line-through-style="none"/></style:style>'
    )
    body = (
        '<text:p>seen <text:span text:style-name="H">hidden</text:span>'
        '<text:span text:style-name="S">too</text:span></text:p>'
        '<text:p text:style-name="H">hidden</text:p>'
        '<text:section text:display="none"><text:p>hidden</text:p></text:section>'
        '<text:p>a<text:hidden-text text:is-hidden="true">hidden</text:hidden-text> b</text:p>'
    )
    assert read_odt(tmp_path, body, styles) == ["seen too", "a b"]


def test_odt_lists_have_the_numbers_that_are_displayed(tmp_path: Path) -> None:
    levels = ('<text:list-level-style-number text:level="1" style:num-format="1" style:num-prefix="§ " '
              'text:start-value="3"/><text:list-level-style-number text:level="2" style:num-format="a" '
              'style:num-suffix=")"/>')  # fmt: skip
    styles = f'<text:list-style style:name="L">{levels}</text:list-style>'

    def items(*texts: str) -> str:
        return "".join(f"<text:list-item>{text}</text:list-item>" for text in texts)

    inner = f"<text:list>{items('<text:p>x</text:p>', '<text:p>y</text:p>')}</text:list>"
    body = f'<text:list text:style-name="L">{items(f"<text:p>One</text:p>{inner}", "<text:p>Two</text:p>")}</text:list>'
    assert read_odt(tmp_path, body, styles) == ["§ 3 One\n  a) x\n  b) y\n§ 4 Two"]


def test_epub(tmp_path: Path) -> None:
    package = (
        '<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>The book</dc:title>'
        '<dc:creator>Ann</dc:creator></metadata><manifest><item id="b" href="b%20c.xhtml"/>'
        '<item id="a" href="a.xhtml"/>'
        '</manifest><spine><itemref idref="b"/><itemref idref="a"/></spine></package>'
    )
    file = tmp_path / "a.epub"
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("META-INF/container.xml", '<container><rootfile full-path="OEBPS/p.opf"/></container>')
        made.writestr("OEBPS/p.opf", package)
        made.writestr("OEBPS/a.xhtml", "<html><body><h1>Two</h1></body></html>")
        made.writestr("OEBPS/b c.xhtml", "<html><body><h1>One</h1><p>Text.</p></body></html>")
    document = load_document(file)
    assert (document.title, document.metadata) == ("The book", {"author": "Ann"})
    assert outline(document) == [("One", 1, None), ("Text.", 0, None), ("Two", 1, None)]


def test_rtf(tmp_path: Path) -> None:
    file = tmp_path / "a.rtf"
    file.write_bytes(
        rb"{\rtf1\ansi\ansicpg1252 Gr\'f6\'dfe \u21521?.\par \trowd a\cell b\cell\row\trowd 1"
        rb"\cell 2\cell\row\pard Zwei.}"
    )
    assert [block.text for block in load_document(file).blocks] == [
        "Größe 向.",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "Zwei.",
    ]


def read_rtf(folder: Path, body: bytes) -> Document:
    (folder / "a.rtf").write_bytes(rb"{\rtf1\ansi\ansicpg1252 " + body + b"}")
    return load_document(folder / "a.rtf")


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        (rb"sea \u-10178?\u-8426? end\par", ["sea \U0001fb16 end"]),
        (rb"One{\super 1{\footnote\pard No \'fcbung.}} and{\*\footnote\ftnalt Two.} two.\par next\par",
         ["One1 and two.", "next", "No übung.", "Two."]),
        (rb"{\shp{\*\shpinst\shpleft1{\shptxt\pard In a box\par}}}Text\par", ["Text", "In a box"]),
        (rb"seen {\v\'e4 hidden\u8364?\tab }and \v hidden\v0 seen{\plain\deleted  gone}\par", ["seen and seen"]),
        (rb"{\pntext\f0 2.\tab}{\*\pn{\pntxta.}}Oars\par{\listtext\pard b)\tab}Sails\par", ["2.\tOars", "b)\tSails"]),
        (rb"{\field{\*\fldinst FORMCHECKBOX {\*\formfield{\fftype1\ffres25\ffdefres1}}}{\fldrslt}} paid "
         rb"{\field{\*\fldinst FORMCHECKBOX {\*\formfield{\fftype1\ffres0\ffdefres1}}}{\fldrslt}} sent\par",
         ["☒ paid ☐ sent"]),
        (rb"a{\pict\bin5 }{{{}}b\par", ["ab"]),
    ],
)  # fmt: skip
def test_rtf_is_read_as_displayed(tmp_path: Path, body: bytes, texts: list[str]) -> None:
    assert [block.text for block in read_rtf(tmp_path, body).blocks] == texts


def test_rtf_properties(tmp_path: Path) -> None:
    document = read_rtf(tmp_path, rb"{\info{\title Fische \'e0 la carte}{\author Ann \u-10178?\u-8426?}}Text\par")
    assert document.title == "Fische à la carte"
    assert document.metadata == {"author": "Ann \U0001fb16"}
    assert [block.text for block in document.blocks] == ["Text"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.docx", OLE + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        ("a.xlsx", OLE + b"\0" * 100, "not an XLSX: its content is an older Office file"),
        ("a.docx", b"PK\x03\x04 cut off", "damaged ZIP"),
        ("a.docx", archive(xl__workbook_xml=b"<a/>"), "without word/"),
        ("a.pptx", b"<html>", "not a PPTX: its content is HTML"),
        ("a.docx", archive(word__document_xml=b"<a>" + b"0" * 70 * 1024**2 + b"</a>"), "unpacks to"),
        ("a.odt", archive(content_xml=b"<a>"), "XML is damaged"),
        ("a.epub", archive(mimetype=b"x"), "not an EPUB"),
        ("a.rtf", b"text", "not RTF"),
    ],
)
def test_the_reason_why_an_office_file_is_unreadable(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableDocument, match=reason):
        load_document(tmp_path / name)


def test_rtf_struck_text_is_not_read_and_does_not_end_hidden_text(tmp_path: Path) -> None:
    body = rb"Price {\strike 9} 8 \v\strike0 secret\v0  EUR \striked1 net\striked0 gross\par"
    assert [block.text for block in read_rtf(tmp_path, body).blocks] == ["Price  8  EUR gross"]
