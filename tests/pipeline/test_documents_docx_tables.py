"""Tables of a DOCX: rows that skip columns, merged cells, controls around cells, and numbered cells."""

from __future__ import annotations

from pathlib import Path

from tests.pipeline.test_documents_docx import item, paragraph, run
from tests.pipeline.test_documents_docx_outline import level, numbering
from tests.pipeline.test_documents_docx_parts import docx, texts


def cell(*paragraphs: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{''.join(paragraphs) or '<w:p/>'}</w:tc>"


def row(*cells: str, properties: str = "") -> str:
    made = (part if part.startswith("<") else cell(paragraph(run(part))) for part in cells)
    return f"<w:tr><w:trPr>{properties}</w:trPr>{''.join(made)}</w:tr>"


def control(content: str) -> str:
    return f"<w:sdt><w:sdtPr><w:text/></w:sdtPr><w:sdtContent>{content}</w:sdtContent></w:sdt>"


def table(tmp_path: Path, *rows: str, **parts: str) -> list[str]:
    (text,) = texts(tmp_path, docx(f"<w:tbl><w:tblPr/>{''.join(rows)}</w:tbl>", **parts))
    return text.splitlines()


def test_rows_that_skip_columns(tmp_path: Path) -> None:
    skips = '<w:gridBefore w:val="1"/>'
    shown = table(
        tmp_path,
        row("", "Q1", "Q2"),
        row("a", "1", "2"),
        row("3", "4", properties=f'{skips}<w:wBefore w:w="2000"/>'),
        row("5", "6", properties=skips),
        row("b", "7", "8", properties=f'{skips}<w:wBefore w:w="50"/>'),
    )
    assert shown[2:] == ["| a | 1 | 2 |", "|  | 3 | 4 |", "|  | 5 | 6 |", "| b | 7 | 8 |"]


def test_cells_that_are_merged_in_the_older_way(tmp_path: Path) -> None:
    merged = cell(paragraph(run("Sales")), properties='<w:hMerge w:val="restart"/>') + cell(properties="<w:hMerge/>")
    shown = table(tmp_path, row("Map", merged), row("", "2023", "2024"), row("sea", "1", "2"))
    assert shown[0] == "| Map | Sales 2023 | Sales 2024 |"


def test_controls_and_tags_around_rows_and_cells(tmp_path: Path) -> None:
    lines = control(cell(paragraph(run("Ann")), paragraph(run("Bob"))))
    tagged = f'<w:customXml w:element="age">{cell(paragraph(run("30")), paragraph(run("31")))}</w:customXml>'
    shown = table(tmp_path, row("Name", "Age", "City"), control(row(lines, tagged, "Rome")))
    assert shown[2:] == ["| Ann | 30 | Rome |", "| Bob | 31 | Rome |"]


def test_cells_with_nothing_but_a_number(tmp_path: Path) -> None:
    numbered = row(cell(item("", 0)), "Ann") + row(cell(item("", 0)), "Bob")
    shown = table(tmp_path, row("No.", "Name"), numbered, numbering_xml=numbering(level("%1.")))
    assert shown[2:] == ["| 1. | Ann |", "| 2. | Bob |"]


def test_references_to_notes_in_cells_are_no_exponents(tmp_path: Path) -> None:
    noted = cell(paragraph(run("5"), '<w:r><w:footnoteReference w:id="2"/></w:r>'))
    body = f"<w:tbl><w:tblPr/>{row('Name', 'Days')}{row('Ann', noted)}</w:tbl>"
    note = paragraph(run("About."))
    names = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    notes = f'<w:footnotes {names}><w:footnote w:id="2">{note}</w:footnote></w:footnotes>'
    assert texts(tmp_path, docx(body, footnotes_xml=notes)) == [
        "| Name | Days |\n|---|---|\n| Ann | 5[1] |", "1. About.",
    ]  # fmt: skip
