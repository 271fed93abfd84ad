from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter

from retriton_pipeline.documents import load_document
from retriton_pipeline.documents.office.number_formats import displayed, displayed_text


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (0.125, "0.0%", "12.5%"),
        (42, "00000", "00042"),
        (1.25, "[h]:mm", "30:00"),
        (0.0007, "[mm]:ss", "01:00"),
        (0.5, "h:mm AM/PM", "12:00 PM"),
        (0.1, "mm:ss.0", "24:00.0"),
        (45292, "d. mmm yyyy", "1. Jan 2024"),
        (45292.75, "yyyy-mm-dd hh:mm", "2024-01-01 18:00"),
        (45292, "mm-dd-yy", "2024-01-01"),
        (1, "yyyy-mm-dd", "1900-01-01"),
        (45352, "[$-407]ddd d. mmmm yyyy", "Fr 1. März 2024"),
        (45352, "[$-de-DE]dddd, mmm", "Freitag, Mrz"),
        (45352, "[$-1010409]mmmmm yy", "M 24"),
        (45352, "[$-40C]d mmmm;@", "1 mars"),
        (45352, "[$-F800]dddd, mmmm dd, yyyy", "Friday, March 01, 2024"),
        (-1, "yyyy-mm-dd", "-1"),
        (7.5, '0.00" l/min"', "7.50 l/min"),
        (1234567.8, "#,##0.0", "1,234,567.8"),
        (1234567, '0.0,," M"', "1.2 M"),
        (12345.6, "0.00E+00", "1.23E+04"),
        (2.75, "# ?/?", "2 3/4"),
        (12345.6, "##0.0E+0", "12.3E+3"),
        (0.00012345, "##0.0E+0", "123.5E-6"),
        (999960, "##0.0E+0", "1.0E+6"),
        (0, "##0.0E+0", "0.0E+0"),
        (9.5, "#,##0.00\\ [$€-407]", "9.50 €"),
        (-3, "0;[Red](0)", "(3)"),
        (-3, "0.0", "-3.0"),
        (0, '0;-0;"none"', "none"),
        (5, ";;;", ""),
        (12, '[<10]"few";[>=10]"many"', "many"),
        (4401234567, "000 000-0000", "440 123-4567"),
        (0.1 + 0.2, "General", "0.3"),
        (3, 'General" pcs"', "3 pcs"),
        (1e300, "0" * 300, f"1{'0' * 300}"),
        (2.5, "0", "3"),
    ],
)
def test_numbers_are_read_as_displayed(value: float, code: str, text: str) -> None:
    assert displayed(value, code) == (text if len(code) < 256 else "1E+300")


def test_texts_are_read_as_displayed() -> None:
    assert [displayed_text("a", code) for code in ("General", "@", '0;0;0;"Type "@', '@" kg"', ";;;")] == [
        "a", "a", "Type a", "a kg", ""
    ]  # fmt: skip


Read = Callable[[Callable[[xlsxwriter.Workbook], None]], list[str]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(fill: Callable[[xlsxwriter.Workbook], None]) -> list[str]:
        with xlsxwriter.Workbook(tmp_path / "a.xlsx") as workbook:
            fill(workbook)
        return [block.text for block in load_document(tmp_path / "a.xlsx").blocks]

    return read


def test_cells_are_read_with_their_formats(read: Read) -> None:
    def fill(workbook: xlsxwriter.Workbook) -> None:
        sheet = workbook.add_worksheet("Pumps")
        sheet.write_row(0, 0, ["Code", "Load", "Runs", "Works"])
        sheet.write_row(1, 0, [9, 0.5], workbook.add_format({"num_format": "000"}))
        sheet.write(1, 1, 0.5, workbook.add_format({"num_format": 9}))
        sheet.write(1, 2, 2, workbook.add_format({"num_format": "[h]:mm"}))
        sheet.write(1, 3, True)

    assert read(fill) == ["Pumps", "| Code | Load | Runs | Works |\n|---|---|---|---|\n| 009 | 50% | 48:00 | TRUE |"]


def test_formats_by_their_numbers(read: Read) -> None:
    def fill(workbook: xlsxwriter.Workbook) -> None:
        sheet = workbook.add_worksheet("S")
        for number, (value, code) in enumerate([(1234.5, 44), (-1234.5, 44), (0, 44), (0.0007, 47), (-5, 42)]):
            sheet.write(number, 0, "a")
            sheet.write(number, 1, value, workbook.add_format({"num_format": code}))

    shown = [line.split("|")[2].strip() for line in read(fill)[1].splitlines() if "---" not in line]
    assert shown == ["$1,234.50", "$(1,234.50)", "$-", "01:00.5", "$(5)"]


def test_parallel_lines_of_cells_become_rows(read: Read) -> None:
    def fill(workbook: xlsxwriter.Workbook) -> None:
        for number, row in enumerate(
            [["Port\nname", "Ship\nname", "Tons"], ["Kiel", "Ida\nMia", "9\n7"], ["Rom", "Ada\nEva", "1"]]
        ):
            if not number:
                sheet = workbook.add_worksheet("S")
            sheet.write_row(number, 0, row)

    assert read(fill)[1] == "\n".join([
        "| Port name | Ship name | Tons |", "|---|---|---|", "| Kiel | Ida | 9 |", "| Kiel | Mia | 7 |",
        "| Rom | Ada Eva | 1 |"
    ])  # fmt: skip


def test_rows_and_columns_without_size_are_hidden(read: Read) -> None:
    def fill(workbook: xlsxwriter.Workbook) -> None:
        sheet = workbook.add_worksheet("S")
        for row in range(3):
            sheet.write_row(row, 0, [f"{row}{column}" for column in "abc"])
        sheet.set_row(1, 0)
        sheet.set_column("B:B", 0)

    assert read(fill)[1] == "| 0a | 0c |\n|---|---|\n| 2a | 2c |"


def test_days_of_a_workbook_that_counts_from_1904(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx", {"date_1904": True}) as workbook:
        workbook.add_worksheet("S").write(0, 0, 366, workbook.add_format({"num_format": "yyyy-mm-dd"}))
    assert load_document(tmp_path / "a.xlsx").blocks[1].text == "1905-01-01"


def test_hidden_sheets_rows_and_columns_are_skipped_and_text_boxes_are_read(read: Read) -> None:
    def fill(workbook: xlsxwriter.Workbook) -> None:
        shown, hidden, very_hidden = (workbook.add_worksheet(name) for name in ("Shown", "Hidden", "Very hidden"))
        for sheet in (shown, hidden, very_hidden):
            for row in range(3):
                sheet.write_row(row, 0, [f"{row}{column}" for column in "abc"])
        shown.set_row(1, None, None, {"hidden": True})
        shown.set_column("B:B", None, None, {"hidden": True})
        shown.insert_textbox("E5", "Valid\nuntil May")
        hidden.hide()
        very_hidden.very_hidden()
        workbook.add_worksheet("Box").insert_textbox("A1", "Only a box")

    assert read(fill) == ["Shown", "| 0a | 0c |\n|---|---|\n| 2a | 2c |", "Valid\nuntil May", "Box", "Only a box"]


def test_strict_files_are_read(tmp_path: Path) -> None:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as workbook:
        sheet = workbook.add_worksheet("Fees")
        sheet.write(0, 0, "Towing")
        sheet.insert_textbox("C3", "in a box")
    with zipfile.ZipFile(made) as usual, zipfile.ZipFile(tmp_path / "a.xlsx", "w") as strict:
        for name in usual.namelist():
            part = usual.read(name)
            for kind in (b"spreadsheetml", b"officeDocument", b"drawingml"):
                old, new = b"http://schemas.openxmlformats.org/%s/2006/", b"http://purl.oclc.org/ooxml/%s/"
                part = part.replace(old % kind, new % kind)
            strict.writestr(name, part)
    assert [block.text for block in load_document(tmp_path / "a.xlsx").blocks] == ["Fees", "Towing", "in a box"]


def test_check_boxes_in_cells(read: Read) -> None:
    def fill(workbook: xlsxwriter.Workbook) -> None:
        sheet = workbook.add_worksheet("S")
        sheet.write_row(0, 0, ["Task", "Done", "Valid"])
        sheet.write_row(1, 0, ["sea", None, True])
        sheet.write_row(2, 0, ["land", None, False])
        sheet.insert_checkbox(1, 1, True)
        sheet.insert_checkbox(2, 1, False)

    assert read(fill)[1].splitlines()[2:] == ["| sea | ☒ | TRUE |", "| land | ☐ | FALSE |"]


def test_sheets_that_are_a_chart_have_its_titles(read: Read) -> None:
    def fill(workbook: xlsxwriter.Workbook) -> None:
        workbook.add_worksheet("Data").write_row(0, 0, ["Map", 1])
        for name in ("Trend", "Hidden"):
            chart = workbook.add_chart({"type": "column"})
            chart.add_series({"values": "=Data!$B$1:$B$1"})
            chart.set_title({"name": f"{name} of rents"})
            chart.set_y_axis({"name": "EUR million"})
            workbook.add_chartsheet(name).set_chart(chart)
        workbook.get_worksheet_by_name("Hidden").hide()

    assert read(fill) == ["Data", "Map 1", "Trend", "Trend of rents\nEUR million"]


def test_zeros_that_a_sheet_hides_and_escaped_characters(read: Read) -> None:
    def fill(workbook: xlsxwriter.Workbook) -> None:
        sheet = workbook.add_worksheet("S")
        for number, row in enumerate([["Map", "Days", "Lent"], ["sea_x000D_\nchart", 0, False], ["land", 5, True]]):
            sheet.write_row(number, 0, row)
        sheet.hide_zero()

    assert read(fill)[1].splitlines()[2:] == ["| sea chart |  | FALSE |", "| land | 5 | TRUE |"]


def test_check_boxes_and_labels_drawn_on_a_sheet(read: Read, tmp_path: Path) -> None:
    def fill(workbook: xlsxwriter.Workbook) -> None:
        sheet = workbook.add_worksheet("S")
        sheet.write(0, 0, "Order")
        for number, text in enumerate(("With oars", "With sails", "Send", "Choose:", "secret")):
            sheet.insert_textbox(number, 1, text)

    read(fill)
    kinds = ('CheckBox" checked="Checked', "Radio", "Button", "Label")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as made:
        members = {name: made.read(name).decode() for name in made.namelist()}
    drawing, sheet, relations = (
        f"xl/{name}" for name in ("drawings/drawing1.xml", "worksheets/sheet1.xml", "worksheets/_rels/sheet1.xml.rels")
    )
    members[drawing] = re.sub(r'cNvPr id="(\d+)"', r'cNvPr id="\1" hidden="1"', members[drawing])
    controls = "".join(f'<control shapeId="{number + 2}" r:id="c{number}" name="x"/>' for number in range(4))
    members[sheet] = members[sheet].replace("</worksheet>", f"<controls>{controls}</controls></worksheet>")
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    for number, kind in enumerate(kinds):
        members[f"xl/ctrlProps/ctrlProp{number}.xml"] = f'<formControlPr objectType="{kind}"/>'
        members[relations] = members[relations].replace(
            "</Relationships>",
            f'<Relationship Id="c{number}" Type="{office}/ctrlProp" Target="../ctrlProps/ctrlProp{number}.xml"/>'
            "</Relationships>",
        )
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as changed:
        for name, content in members.items():
            changed.writestr(name, content)
    blocks = load_document(tmp_path / "a.xlsx").blocks
    assert [block.text for block in blocks] == ["S", "Order", "☒ With oars", "☐ With sails", "Choose:"]
