"""Text of spreadsheets and slides that nobody sees is not stored: struck, in the colour of its background, ``;;;``."""

from __future__ import annotations

import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import xlrd
import xlsxwriter
from pptx import Presentation
from pptx.util import Inches

from retriton_pipeline.documents import load_document
from retriton_pipeline.documents.office.xls import _rows, _seen_cells

NAMES = "urn:oasis:names:tc:opendocument:xmlns"


def texts(file: Path) -> list[str]:
    return [block.text for block in load_document(file).blocks]


@pytest.mark.parametrize("in_memory", [True, False])  # strings are shared, or in their cells
def test_xlsx(tmp_path: Path, in_memory: bool) -> None:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx", {"constant_memory": not in_memory}) as workbook:
        looks = [
            {"font_strikeout": True}, {"font_color": "white"}, {"font_color": "#123456", "bg_color": "#123456"},
            {"num_format": ";;;"}, {"num_format": "0;0;0;"}, {"font_color": "white", "bg_color": "black"},
        ]  # fmt: skip
        struck = workbook.add_format({"font_strikeout": True})
        sheet = workbook.add_worksheet("Pumps")
        sheet.write_row(0, 0, ["Name", "Note"])
        for row, look in enumerate(looks, 1):
            sheet.write(row, 0, f"n{row}")
            sheet.write(row, 1, f"note {row}", workbook.add_format(look))
        sheet.write(7, 0, 9, workbook.add_format({"font_strikeout": True}))
        sheet.write_rich_string(7, 1, "valid ", struck, "no longer", " again")
    rows = "".join(f"\n| n{row} |  |" for row in range(1, 6))
    assert texts(tmp_path / "a.xlsx") == [
        "Pumps", f"| Name | Note |\n|---|---|{rows}\n| n6 | note 6 |\n|  | valid again |"
    ]  # fmt: skip


def test_white_text_of_a_sheet_with_colours_of_its_own_is_read(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as workbook:
        white = workbook.add_format({"font_color": "white"})
        sheet = workbook.add_worksheet("Pumps")
        sheet.write_row(0, 0, ["Name", "Note"], white)
        sheet.write_row(1, 0, ["n", "m"])
        sheet.add_table(0, 0, 1, 1, {"columns": [{"header": "Name", "header_format": white}, {"header": "Note"}]})
    assert texts(tmp_path / "a.xlsx")[1] == "| Name | Note |\n|---|---|\n| n | m |"


def ods(file: Path, styles: str, content: str, calc: str = "") -> Path:
    names = " ".join(
        f'xmlns:{name}="{NAMES}:{kind}:1.0"'
        for name, kind in [
            ("office", "office"), ("table", "table"), ("text", "text"), ("style", "style"), ("number", "datastyle"),
            ("fo", "xsl-fo-compatible"), ("calc", "calc"),
        ]
    )  # fmt: skip
    with zipfile.ZipFile(file, "w") as made:
        made.writestr(
            "content.xml",
            f"<office:document-content {names}><office:automatic-styles>{styles}</office:automatic-styles><office:body>"
            f"<office:spreadsheet><table:table>{content}{calc}</table:table></office:spreadsheet></office:body>"
            "</office:document-content>",
        )
    return file


def style(name: str, properties: str, attributes: str = "") -> str:
    return f'<style:style style:name="{name}" style:family="table-cell" {attributes}>{properties}</style:style>'


def row(first: str, second: str, look: str) -> str:
    return (
        f"<table:table-row><table:table-cell><text:p>{first}</text:p></table:table-cell>"
        f'<table:table-cell {look} office:value-type="float" office:value="7"><text:p>{second}</text:p>'
        "</table:table-cell></table:table-row>"
    )


STYLES = (
    style("struck", '<style:text-properties style:text-line-through-style="solid"/>')
    + style("based", "", 'style:parent-style-name="struck"')
    + style("white", '<style:text-properties fo:color="#FFFFFF"/>')
    + style(
        "dark",
        '<style:text-properties fo:color="#ffffff"/><style:table-cell-properties fo:background-color="#000000"/>',
    )
    + '<number:number-style style:name="N1"><number:text/><style:map style:apply-style-name="N2"/>'
    + "</number:number-style>"
    + '<number:text-style style:name="N2"/>'
    + style("blank", "", 'style:data-style-name="N1"')
)


def test_ods(tmp_path: Path) -> None:
    looks = ["struck", "based", "white", "blank", "dark"]
    rows = "".join(row(f"n{at}", f"note {at}", f'table:style-name="{look}"') for at, look in enumerate(looks))
    span = row("n5", 'valid <text:span text:style-name="struck">no longer</text:span>', "")
    column = '<table:table-column/><table:table-column table:default-cell-style-name="struck"/>'
    expected = "".join(f"\n| n{at} |  |" for at in range(4))
    head = row("Name", "Note", 'table:style-name="dark"')
    assert texts(ods(tmp_path / "a.ods", STYLES, f"{head}{rows}{span}")) == [
        f"| Name | Note |\n|---|---|{expected}\n| n4 | note 4 |\n| n5 | valid |"
    ]
    assert texts(ods(tmp_path / "b.ods", STYLES, f"{column}{head}{row('n', 'x', '')}")) == [
        "| Name | Note |\n|---|---|\n| n |  |"
    ]
    conditional = "<calc:conditional-formats><calc:conditional-format/></calc:conditional-formats>"
    white = row("n", "x", 'table:style-name="white"')
    assert texts(ods(tmp_path / "c.ods", STYLES, f"{head}{white}", conditional)) == [
        "| Name | Note |\n|---|---|\n| n | x |"
    ]


def test_xls() -> None:
    def cell(value: str, style: int) -> xlrd.sheet.Cell:
        return xlrd.sheet.Cell(xlrd.XL_CELL_TEXT, value, style)

    fonts = [SimpleNamespace(struck_out=0, colour_index=0), SimpleNamespace(struck_out=1, colour_index=0),
             SimpleNamespace(struck_out=0, colour_index=9)]  # fmt: skip
    plain, dark = (SimpleNamespace(fill_pattern=fill, pattern_colour_index=0) for fill in (0, 1))
    styles = [SimpleNamespace(font_index=font, background=fill) for font in range(3) for fill in (plain, dark)]
    book = SimpleNamespace(font_list=fonts, xf_list=styles, colour_map={0: (0, 0, 0), 9: (255, 255, 255)})
    cells = [cell("seen", 0), cell("black on black", 1), cell("struck", 2), cell("white", 4), cell("on black", 5),
             cell("valid no longer again", 0)]  # fmt: skip
    sheet = SimpleNamespace(row=lambda _: cells, rich_text_runlist_map={(0, 5): [(6, 1), (16, 0)]}, show_zero_values=1)
    seen = [cell.value for cell in _seen_cells(book, sheet, 0) if cell.ctype == xlrd.XL_CELL_TEXT]
    assert seen == ["seen", "on black", "valid again"]
    sheet.row = lambda _: [xlrd.sheet.Cell(xlrd.XL_CELL_NUMBER, 0.0, 0)]
    for shows_zeros, kind in ((1, xlrd.XL_CELL_NUMBER), (0, xlrd.XL_CELL_EMPTY)):
        sheet.show_zero_values = shows_zeros
        assert [cell.ctype for cell in _seen_cells(book, sheet, 0)] == [kind]


def test_rows_and_columns_of_an_xls_without_size() -> None:
    rows = {number: SimpleNamespace(hidden=0, height=300 * (number != 1)) for number in range(3)}
    columns = {number: SimpleNamespace(hidden=0, width=900 * (number != 1)) for number in range(3)}
    sheet = SimpleNamespace(
        colinfo_map=columns, rowinfo_map=rows, merged_cells=[], nrows=3, show_zero_values=1, rich_text_runlist_map={},
        row=lambda row: [xlrd.sheet.Cell(xlrd.XL_CELL_TEXT, f"{row}{column}") for column in range(3)],
    )  # fmt: skip
    assert list(_rows(SimpleNamespace(), sheet)) == [["00", "02"], ["20", "22"]]


def test_pptx(tmp_path: Path) -> None:
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    paragraph = slide.shapes.add_textbox(0, 0, Inches(3), Inches(1)).text_frame.paragraphs[0]
    for text, strike in (("valid ", "noStrike"), ("no longer ", "sngStrike"), ("again", "")):
        run = paragraph.add_run()
        run.text = text
        run._r.get_or_add_rPr().set("strike", strike) if strike else None
    presentation.save(tmp_path / "a.pptx")
    assert texts(tmp_path / "a.pptx") == ["valid again"]
