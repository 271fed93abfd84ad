"""Tables of a PDF whose cells have rules around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from retriton_pipeline.documents import Document
from tests.pipeline.test_documents_pdf import SENTENCES, Sheet, read  # noqa: F401 - a fixture

Read = Callable[[Sheet], Document]
Cell = tuple[float, float, str]  # millimetres from the left and from the top, text


def ruled(
    cells: Sequence[Cell], vertical: Sequence[tuple[float, float, float]], horizontal: Sequence[tuple[float, ...]]
) -> Sheet:
    """Cells, and rules: a place, a start and an end; horizontal ones without the latter are as wide as the table."""
    sheet = Sheet()
    sheet.page()
    left, right = min(x for x, _, _ in vertical), max(x for x, _, _ in vertical)
    for x, y, text in cells:
        sheet.line(text, x, y)
    for x, start, end in vertical:
        sheet.pdf.line(x, start, x, end)
    for y, start, end in (rule if len(rule) == 3 else (*rule, left, right) for rule in horizontal):
        sheet.pdf.line(start, y, end, y)
    return sheet


def rows(document: Document) -> list[str]:
    (table,) = document.blocks
    return table.text.splitlines()


def test_rules_are_borders_of_cells_whose_texts_are_close(read: Read) -> None:  # noqa: F811
    cells = [(21, 30, "Ship of Leith"), (46, 30, "Tons"), (21, 36, "Otto"), (46, 36, "9")]
    sheet = ruled(cells, [(x, 25, 38) for x in (20, 45, 56)], [(25,), (32,), (38,)])
    sheet.line("is small", 57, 36)
    assert [block.text for block in read(sheet).blocks] == [
        "| Ship of Leith | Tons |\n|---|---|\n| Otto | 9 |", "is small"
    ]  # fmt: skip


def test_the_lines_of_a_cell_stay_in_its_row(read: Read) -> None:  # noqa: F811
    cells = [(21, 30, "Rule"), (51, 30, "What it says"), (111, 30, "Since")]
    cells += [(51, 36, "No ship may go faster than"), (21, 38.5, "Speed"), (111, 38.5, "1974"), (51, 41, "six knots.")]
    cells += [(51, 47, "No horns at night, and"), (21, 49.5, "Noise"), (111, 49.5, "1981"), (51, 52, "none at 12.")]
    sheet = ruled(cells, [(x, 25, 54) for x in (20, 50, 110, 140)], [(25,), (32,), (43,), (54,)])
    assert rows(read(sheet)) == [
        "| Rule | What it says | Since |",
        "|---|---|---|",
        "| Speed | No ship may go faster than six knots. | 1974 |",
        "| Noise | No horns at night, and none at 12. | 1981 |",
    ]


def test_names_and_cells_that_span_columns_and_rows(read: Read) -> None:  # noqa: F811
    cells = [(21, 33, "Port"), (61, 30, "Ships"), (51, 36, "May"), (81, 36, "June"),
             (21, 45, "Leith"), (51, 42, "12"), (81, 42, "15"), (51, 48, "none, for both months")]  # fmt: skip
    vertical = [(20, 25, 50), (50, 25, 50), (80, 32, 44), (110, 25, 50)]
    sheet = ruled(cells, vertical, [(25,), (32, 50, 110), (38,), (44, 50, 110), (50,)])
    assert rows(read(sheet)) == [
        "| Port | Ships May | Ships June |",
        "|---|---|---|",
        "| Leith | 12 | 15 |",
        "| Leith | none, for both months | none, for both months |",
    ]


def test_a_row_across_the_whole_table_above_it_is_its_title(read: Read) -> None:  # noqa: F811
    cells = [(21, 30, "Ships in May"), (21, 37, "Norseman"), (61, 37, "12"), (21, 44, "Otto"), (61, 44, "9")]
    sheet = ruled(cells, [(20, 25, 46), (60, 32, 46), (90, 25, 46)], [(25,), (32,), (39,), (46,)])
    assert [block.text for block in read(sheet).blocks] == [
        "Ships in May",
        "| Norseman | 12 |\n|---|---|\n| Otto | 9 |",
    ]


def test_names_that_run_upwards_are_above_their_columns(read: Read) -> None:  # noqa: F811
    body = [(21, 56, "Norseman"), (71, 56, "X"), (21, 63, "Otto"), (91, 63, "X")]
    sheet = ruled([(21, 48, "Ship"), *body], [(x, 25, 65) for x in (20, 70, 90, 110)], [(25,), (50,), (58,), (65,)])
    for text, x in (("Insured", 81), ("Armed", 101)):
        with sheet.pdf.rotation(90, x, 48):
            sheet.line(text, x, 48)
    assert rows(read(sheet)) == [
        "| Ship | Insured | Armed |", "|---|---|---|", "| Norseman | X |  |", "| Otto |  | X |"
    ]  # fmt: skip


def test_rows_without_rules_between_them_are_separate(read: Read) -> None:  # noqa: F811
    table = [("Ship", "Tons"), ("Ada", "12"), ("Otto", "9"), ("Ivy", "7")]
    cells = [(21.0 + 40 * column, 30.0 + 6 * n, text) for n, row in enumerate(table) for column, text in enumerate(row)]
    sheet = ruled(cells, [(x, 25, 50) for x in (20, 60, 90)], [(25,), (32,), (50,)])
    assert rows(read(sheet)) == ["| Ship | Tons |", "|---|---|", "| Ada | 12 |", "| Otto | 9 |", "| Ivy | 7 |"]


def test_drawings_and_frames_are_no_tables(read: Read) -> None:  # noqa: F811
    labels = [(25, 34, "Input"), (65, 34, "Output"), (25, 64, "Store")]
    crossing = [(40, 25, 70), (60, 20, 50), (80, 40, 80)]
    drawing = ruled(labels, crossing, [(30, 35, 90), (45, 20, 70), (60, 55, 95)])
    assert [block.text for block in read(drawing).blocks] == ["Input", "Output", "Store"]
    frame = ruled([], [(15, 15, 200), (195, 15, 200), (105, 30, 200)], [(15,), (30,), (200,)])
    for x, start in ((20, 0), (110, 12)):
        frame.font(7)
        frame.paragraph(SENTENCES[start : start + 12], x, 40)
    assert [block.text for block in read(frame).blocks] == [" ".join(SENTENCES[:12]), " ".join(SENTENCES[12:24])]


def test_frames_of_cells_and_thin_rectangles_are_rules(read: Read) -> None:  # noqa: F811
    def sheet(frames: bool) -> Sheet:
        sheet = Sheet()
        sheet.page()
        for row, texts in enumerate([("Ship", "Tons"), ("Ada", "12"), ("Otto", "9")]):
            for column, text in enumerate(texts):
                x, y = 20 + 12 * column, 30 + 6 * row
                sheet.line(text, x + 1, y + 4)
                if frames:
                    sheet.pdf.rect(x, y, 12, 6)
                for left, top, width, height in [
                    (x, y, 12, 0.2),
                    (x, y, 0.2, 6),
                    (x + 12, y, 0.2, 6),
                    (x, y + 6, 12, 0.2),
                ]:
                    if not frames:
                        sheet.pdf.rect(left, top, width, height, style="F")
        return sheet

    for frames in (True, False):
        assert rows(read(sheet(frames))) == ["| Ship | Tons |", "|---|---|", "| Ada | 12 |", "| Otto | 9 |"]


def test_rules_and_backgrounds_between_rows_tell_the_rows(read: Read) -> None:  # noqa: F811
    def sheet(backgrounds: bool) -> Sheet:
        sheet = Sheet()
        sheet.page()
        for row in (0, 1, 2):
            top = 32 + 12 * row
            if not backgrounds:
                sheet.pdf.line(20, top, 160, top)
            elif row != 1:
                sheet.pdf.set_fill_color(220)
                sheet.pdf.rect(20, top, 140, 12, style="F")
        for text, x in (("Rule", 21), ("Since when", 60), ("What it says", 84)):
            sheet.line(text, x, 30)
        for row, cells in enumerate(
            [("Speed", "1974", "No more than"), ("Noise", "1981", "No horns by"), ("Waste", "", "")]
        ):
            sheet.line(cells[0], 21, 39 + 12 * row)
            sheet.line(cells[1], 60, 39 + 12 * row)
            for number, text in enumerate([cells[2], "six knots" if row == 0 else "night"] if row < 2 else ["Nothing"]):
                sheet.line(text, 84, 37 + 12 * row + 5 * number)
        sheet.line("These are all.", 20, 75)
        return sheet

    for backgrounds in (False, True):
        table, after = read(sheet(backgrounds)).blocks
        assert after.text == "These are all."
        assert table.text.splitlines() == [
            "| Rule | Since when | What it says |",
            "|---|---|---|",
            "| Speed | 1974 | No more than six knots |",
            "| Noise | 1981 | No horns by night |",
            "| Waste |  | Nothing |",
        ]


def test_rules_around_several_rows_do_not_join_them(read: Read) -> None:  # noqa: F811
    sheet = Sheet()
    sheet.page()
    for y in (20, 27, 40):
        sheet.pdf.line(20, y, 120, y)
    for row, texts in enumerate([("Ship", "Master"), ("Nora", "Ida"), ("Otto", "Max")]):
        for text, x in zip(texts, (21, 70), strict=True):
            sheet.line(text, x, 25 + 7 * row)
    assert rows(read(sheet)) == ["| Ship | Master |", "|---|---|", "| Nora | Ida |", "| Otto | Max |"]
