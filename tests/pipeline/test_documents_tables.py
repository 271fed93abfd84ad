"""Titles, headers and merged cells of sheets, slides and delimited files; tables beside each other."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from pptx import Presentation
from pptx.util import Inches

from retriton_pipeline.documents import (
    Document,
    FilePart,
    SourceFile,
    Unreadable,
    file_parts,
    load_document,
    load_documents,
)
from retriton_pipeline.documents.text_parts import text_parts

NAMES = "urn:oasis:names:tc:opendocument:xmlns"
Fill = Callable[[xlsxwriter.Workbook], None]


def sheet(tmp_path: Path, rows: dict[str, list[object]], merged: tuple[str, ...] = ()) -> list[str]:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as workbook:
        made = workbook.add_worksheet("S")
        for place, cells in rows.items():
            made.write_row(place, cells)
        for place in merged:
            text = next(str(cells[0]) for at, cells in rows.items() if at == place.partition(":")[0])
            made.merge_range(place, text)
    return [block.text for block in load_document(tmp_path / "a.xlsx").blocks][1:]


def test_rows_above_a_table_with_one_cell_are_its_title(tmp_path: Path) -> None:
    rows: dict[str, list[object]] = {"A1": ["Maps lent"], "A2": ["Map", "Days"], "A3": ["sea", 4], "A4": ["land", 5]}
    table = "| Map | Days |\n|---|---|\n| sea | 4 |\n| land | 5 |"
    assert sheet(tmp_path, rows) == ["Maps lent", table]
    assert sheet(tmp_path, rows, merged=("A1:B1",)) == ["Maps lent", table]


def test_a_first_name_of_a_header_of_two_rows_is_no_title(tmp_path: Path) -> None:
    rows: dict[str, list[object]] = {
        "A1": ["Map"], "A2": ["", "lent", "back"], "A3": ["sea", 4, 5], "A4": ["land", 6, 7], "A5": ["x", 8, 9],
    }  # fmt: skip
    assert sheet(tmp_path, rows)[0].startswith("| Map | lent | back |\n")


def test_small_tables_one_below_the_other_are_apart(tmp_path: Path) -> None:
    rows: dict[str, list[object]] = {
        "A1": ["North"], "A2": ["Map", "Days"], "A3": ["sea", 4],
        "A5": ["South"], "A6": ["Chart", "Weeks"], "A7": ["coast", 1],
    }  # fmt: skip
    assert sheet(tmp_path, rows) == [
        "North", "| Map | Days |\n|---|---|\n| sea | 4 |", "South", "| Chart | Weeks |\n|---|---|\n| coast | 1 |"
    ]  # fmt: skip


def test_tables_beside_each_other_are_apart_and_spaced_columns_are_not(tmp_path: Path) -> None:
    rows: dict[str, list[object]] = {"A1": ["Map", "Days"], "A2": ["sea", 4], "A3": ["land", 5]}
    beside: dict[str, list[object]] = {"D1": ["Room", "Maps"], "D2": ["north", 1]}
    assert sheet(tmp_path, rows | beside) == [
        "| Map | Days |\n|---|---|\n| sea | 4 |\n| land | 5 |", "| Room | Maps |\n|---|---|\n| north | 1 |"
    ]  # fmt: skip
    (table,) = sheet(tmp_path, rows | {"D1": ["lent", "back"], "D2": [7, 8], "D3": [9, 10]})
    assert table.startswith("| Map | Days | lent | back |")


def test_many_tables_beside_each_other_are_kept(tmp_path: Path) -> None:
    names: list[object] = ["Map", "Days", ""] * 20
    values: list[object] = ["sea", 4, ""] * 20
    (table,) = sheet(tmp_path, {"A1": names, "A2": values, "A3": values})
    assert table.count("sea") == 40


def test_titles_of_charts_are_read(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as workbook:
        made = workbook.add_worksheet("S")
        made.write_row("A1", ["Map", "sea"])
        chart = workbook.add_chart({"type": "bar"})
        chart.add_series({"values": "=S!$A$1:$B$1"})
        chart.set_title({"name": "Maps by room"})
        made.insert_chart("D1", chart)
    assert load_document(tmp_path / "a.xlsx").blocks[-1].text == "Maps by room"


def test_formulas_without_a_saved_value_are_named(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    for row in (["Map", "Days"], ["sea", "=2*3"], ["land", "=B2+1"]):
        workbook.active.append(row)
    workbook.save(tmp_path / "a.xlsx")
    document, unreadable = load_documents(FilePart(tmp_path / "a.xlsx"))
    assert isinstance(document, Document)
    assert isinstance(unreadable, Unreadable)
    assert unreadable.reason.startswith("2 of its formulas have no saved value")


def ods(tmp_path: Path, content: str) -> list[str]:
    names = "".join(f' xmlns:{name}="{NAMES}:{kind}:1.0"' for name, kind in [
        ("office", "office"), ("table", "table"), ("text", "text"), ("draw", "drawing")])  # fmt: skip
    with zipfile.ZipFile(tmp_path / "a.ods", "w") as made:
        made.writestr(
            "content.xml",
            f"<office:document-content{names}><office:body><office:spreadsheet><table:table>{content}</table:table>"
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return [block.text for block in load_document(tmp_path / "a.ods").blocks]


def cell(text: str, attributes: str = "") -> str:
    return f"<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>"


def row(*cells: str) -> str:
    return f"<table:table-row>{''.join(cells)}</table:table-row>"


def test_hidden_columns_and_merged_cells_of_an_ods(tmp_path: Path) -> None:
    columns = '<table:table-column/><table:table-column table:visibility="collapse"/><table:table-column/>'
    rows = (
        row(cell("Room"), cell("secret"), cell("Map"))
        + row(cell("north", 'table:number-rows-spanned="2"'), cell("x"), cell("sea"))
        + row("<table:covered-table-cell/>", cell("y"), cell("land"))
    )
    assert ods(tmp_path, columns + rows) == ["| Room | Map |\n|---|---|\n| north | sea |\n| north | land |"]


def test_values_spaces_and_text_boxes_of_an_ods(tmp_path: Path) -> None:
    values = "".join(
        f'<table:table-cell office:value-type="{kind}" office:{name}="{value}"/>'
        for kind, name, value in [
            ("float", "value", "4.5"), ("percentage", "value", "0.125"), ("boolean", "boolean-value", "true"),
            ("date", "date-value", "1893-04-01"), ("string", "string-value", "sea"),
        ]
    )  # fmt: skip
    box = (
        "<table:shapes><draw:frame><draw:text-box><text:p>In a box</text:p></draw:text-box></draw:frame></table:shapes>"
    )
    head = row(*map(cell, ("a<text:tab/>b", "c<text:line-break/>d", "e<text:s/>f", "g", "h")))
    assert ods(tmp_path, box + head + row(values)) == [
        "| a b | c d | e f | g | h |\n|---|---|---|---|---|\n| 4.5 | 12.5% | TRUE | 1893-04-01 | sea |",
        "In a box",
    ]


def test_merged_cells_of_a_table_on_a_slide(tmp_path: Path) -> None:
    made = Presentation()
    slide = made.slides.add_slide(made.slide_layouts[6])
    table = slide.shapes.add_table(4, 3, 0, 0, Inches(6), Inches(2)).table
    texts = [["Room", "Maps", ""], ["", "lent", "back"], ["north", "1", "2"], ["", "3", "4"]]
    for at, line in enumerate(texts):
        for column, text in enumerate(line):
            table.cell(at, column).text = text
    for first, last in [((0, 1), (0, 2)), ((0, 0), (1, 0)), ((2, 0), (3, 0))]:
        table.cell(*first).merge(table.cell(*last))
    made.save(tmp_path / "a.pptx")
    assert [block.text for block in load_document(tmp_path / "a.pptx").blocks] == [
        "| Room | Maps lent | Maps back |\n|---|---|---|\n| north | 1 | 2 |\n| north | 3 | 4 |"
    ]


@pytest.mark.parametrize(
    "places",
    [
        {"a": (1, 2.02, 3), "b": (5, 2, 3)},  # almost one row
        {"a": (0, 0, 9), "b": (0, 2, 4), "c": (0, 3, 4), "d": (5, 2, 4), "e": (5, 3, 4)},  # two columns
        {"a": (0, 1, 2), "b": (3, 1, 2), "c": (0, 3, 2), "d": (3, 3, 2)},  # cards
    ],
)
def test_shapes_are_in_reading_order(tmp_path: Path, places: dict[str, tuple[float, float, float]]) -> None:
    made = Presentation()
    slide = made.slides.add_slide(made.slide_layouts[6])
    for text, (left, top, width) in reversed(places.items()):
        shape = slide.shapes.add_textbox(Inches(left), Inches(top), Inches(width), Inches(1))
        shape.text_frame.text = text
    made.save(tmp_path / "a.pptx")
    assert "".join(block.text for block in load_document(tmp_path / "a.pptx").blocks) == "".join(places)


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("Maps lent\nin 1893\n\nMap,Days\nsea,4\nland,5\n", ["Maps lent\nin 1893", "| Map | Days |\n|---|---|\n"]),
        ("# by room, all\nMap;Days;Room\nsea;4;n\nland;5;n\n", ["# by room, all", "| Map | Days | Room |\n"]),
        (",Sea,,Land,\nRoom,lent,back,lent,back\nnorth,1,2,3,4\n", ["| Room | Sea lent | Sea back | Land lent |"]),
        (",name,town\nr1,Ann,Rye\nr2,Bob,Deal\n", ["|  | name | town |\n|---|---|---|\n| r1 | Ann | Rye |"]),
        ("a,b\n1,2\n", ["| a | b |"]),
    ],
)
def test_what_stands_above_the_names_of_columns(tmp_path: Path, text: str, blocks: list[str]) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    found = load_document(tmp_path / "a.csv").blocks
    assert len(found) == len(blocks)
    assert all(block.text.startswith(start) for block, start in zip(found, blocks, strict=True))


def test_each_part_of_a_table_has_its_names_also_below_a_title(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("Maps lent\n\nMap,Days\n" + "sea,4\n" * 500, encoding="utf-8")
    parts = list(text_parts(SourceFile(file), 1_000))
    assert len(parts) > 2
    for part in parts:
        (document,) = load_documents(part)
        assert isinstance(document, Document)
        assert document.blocks[-1].header == "| Map | Days |\n|---|---|"


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("a.jsonl", '{"id": "x", "text": "The sea."}\n{"id": "y", "text": "The land."}\n'.encode("utf-16")),
        ("a.json", b'{\n "id": "x",\n "text": "The sea."\n}\n{\n "id": "y",\n "text": "The land."\n}\n'),
        ("a.ndjson", b'\xef\xbb\xbf{"id": "x", "text": "The sea."}\n\n{"id": "y", "text": "The land."}'),
    ],
)
def test_objects_one_after_the_other_are_records(tmp_path: Path, name: str, raw: bytes) -> None:
    (tmp_path / name).write_bytes(raw)
    parts = file_parts(SourceFile(tmp_path / name))
    read = [item for part in parts for item in load_documents(part)]
    assert [(item.record, item.blocks[0].text) for item in read if isinstance(item, Document)] == [
        ("x", "The sea."), ("y", "The land.")
    ]  # fmt: skip


def test_names_in_archives_are_readable_and_each_file_is_read_once(tmp_path: Path) -> None:
    for name, encoding in [("地図の本.txt", "cp932"), ("Карта моря.txt", "cp866"), ("地図.txt", "utf-8")]:
        raw = name.encode(encoding)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as made:
            made.writestr("Z" * len(raw), "The sea.")
        (tmp_path / "a.zip").write_bytes(packed.getvalue().replace(b"Z" * len(raw), raw))
        (document,) = load_documents(FilePart(tmp_path / "a.zip"))
        assert isinstance(document, Document)
        assert document.record == name
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made, pytest.warns(UserWarning, match="Duplicate"):
        made.writestr("a.txt", "old")
        made.writestr("a.txt", "new")
    (document,) = load_documents(FilePart(tmp_path / "a.zip"))
    assert isinstance(document, Document)
    assert document.blocks[0].text == "new"


def test_an_empty_corner_above_words_is_no_second_row_of_names(tmp_path: Path) -> None:
    rows: dict[str, list[object]] = {"B1": ["Mon", "Tue"], "A2": ["am", "sea", "land"], "A3": ["pm", "land", "sea"]}
    assert sheet(tmp_path, rows)[0].splitlines()[0] == "|  | Mon | Tue |"
    rows = {"B1": ["Mon", "Tue"], "A2": ["Part", "sea", "land"], "A3": ["am", 4, 5], "A4": ["pm", 6, 7]}
    assert sheet(tmp_path, rows)[0].splitlines()[0] == "| Part | Mon sea | Tue land |"
