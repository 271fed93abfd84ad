from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fpdf import FPDF

from retriton_pipeline.documents import Block, Document, load_document
from retriton_pipeline.documents.pdf.blocks import page_blocks
from retriton_pipeline.documents.pdf.line import Line, Word
from retriton_pipeline.documents.pdf.typography import Typography

SENTENCES = [f"This is the sentence with the number {n}, and it has some more words." for n in range(30)]


class Sheet:
    """PDF pages with lines at given positions."""

    def __init__(self) -> None:
        self.pdf = FPDF()
        self.font()

    def font(self, size: float = 11, style: str = "", family: str = "Helvetica") -> None:
        self.family, self.style, self.size = family, style, size

    def page(self) -> None:
        self.pdf.add_page()

    def line(self, text: str, x: float, y: float) -> None:
        """``text`` at ``x`` and ``y`` millimetres from the upper left corner."""
        self.pdf.set_font(self.family, self.style, self.size)
        self.pdf.text(x, y, text)

    def paragraph(self, lines: list[str], x: float, y: float) -> float:
        for number, text in enumerate(lines):
            self.line(text, x, y + 5 * number)
        return y + 5 * len(lines)


@pytest.fixture
def read(tmp_path: Path) -> Callable[[Sheet], Document]:
    def read(sheet: Sheet) -> Document:
        file = tmp_path / "a.pdf"
        file.write_bytes(bytes(sheet.pdf.output()))
        return load_document(file)

    return read


def outline(document: Document) -> list[tuple[str, int]]:
    return [(block.text, block.heading_level) for block in document.blocks]


def test_headings_by_font_size_and_weight(read: Callable[[Sheet], Document]) -> None:
    sheet = Sheet()
    sheet.page()
    for style, size, text, y in (("", 22, "The report", 20), ("", 16, "Results", 35), ("B", 11, "Costs", 45)):
        sheet.font(size, style)
        sheet.line(text, 20, y)
    sheet.font()
    sheet.paragraph(SENTENCES[:3], 20, 55)
    sheet.paragraph(SENTENCES[3:5], 20, 80)
    document = read(sheet)
    assert document.title == "The report"
    assert outline(document) == [
        ("The report", 1), ("Results", 2), ("Costs", 3), (" ".join(SENTENCES[:3]), 0), (" ".join(SENTENCES[3:5]), 0)
    ]  # fmt: skip


def test_columns_drawn_in_another_order_are_read_one_after_the_other(read: Callable[[Sheet], Document]) -> None:
    sheet = Sheet()
    sheet.page()
    left, right = ([f"{side} line {n} of a narrow column" for n in range(8)] for side in ("left", "right"))
    sheet.paragraph(right, 110, 40)
    sheet.paragraph(left, 20, 40)
    sheet.font(20)
    sheet.line("A title over both columns of the page", 20, 25)
    assert [text for text, _ in outline(read(sheet))] == [
        "A title over both columns of the page", " ".join([*left, *right])
    ]  # fmt: skip


def test_columns_drawn_row_by_row_are_not_a_table(read: Callable[[Sheet], Document]) -> None:
    sheet = Sheet()
    sheet.page()
    left, right = ([f"{side} line {n} of a narrow column" for n in range(8)] for side in ("left", "right"))
    for n in range(8):
        sheet.line(left[n], 20, 40 + 5 * n)
        sheet.line(right[n], 110, 40 + 5 * n)
    assert "\n".join(text for text, _ in outline(read(sheet))) == " ".join([*left, *right])


def test_tables_have_rows_columns_and_a_header(read: Callable[[Sheet], Document]) -> None:
    sheet = Sheet()
    sheet.page()
    sheet.paragraph(SENTENCES[:3], 20, 30)
    rows = [("Plan", "Who may have it", "Cost"), ("Basic", "all of us, from the", "10"), ("", "first day on", ""),
            ("Plus", "managers", "")]  # fmt: skip
    for row, y in zip(rows, (60, 67, 72, 79), strict=True):
        for text, x in zip(row, (20, 60, 130), strict=True):
            sheet.line(text, x, y)
    sheet.line("Next section", 20, 88)
    sheet.paragraph(SENTENCES[3:6], 20, 100)
    _, table, after, _ = read(sheet).blocks
    assert after.text == "Next section"
    assert table == Block(
        "| Plan | Who may have it | Cost |\n|---|---|---|\n| Basic | all of us, from the first day on | 10 |\n"
        "| Plus | managers |  |",
        page=1, verbatim=True, header="| Plan | Who may have it | Cost |\n|---|---|---|",
    )  # fmt: skip


def test_a_table_header_whose_names_fill_the_columns_is_detected(read: Callable[[Sheet], Document]) -> None:
    sheet = Sheet()
    sheet.page()
    sheet.font(style="B")
    for text, x in (("Name of plan", 20), ("Cost per year", 49), ("Remarks", 81)):
        sheet.line(text, x, 30)
    sheet.font()
    for n in range(3):
        for text, x in ((f"P{n}", 20), (f"{n}0", 49), ("none", 81)):
            sheet.line(text, x, 36 + 6 * n)
    (table,) = read(sheet).blocks
    assert table.header == "| Name of plan | Cost per year | Remarks |\n|---|---|---|"


def test_hyphenated_words_are_joined(read: Callable[[Sheet], Document]) -> None:
    sheet = Sheet()
    sheet.page()
    lines = ["The in-network doctors know exam-", "ples of those that are in-", "network, and of Lucene-", "BM25 too."]
    sheet.paragraph(lines, 20, 30)
    assert outline(read(sheet))[0][0] == (
        "The in-network doctors know examples of those that are in-network, and of Lucene-BM25 too."
    )


def test_running_headers_and_page_numbers_are_removed(read: Callable[[Sheet], Document]) -> None:
    sheet = Sheet()
    for page in range(6):
        sheet.page()
        sheet.line("Annual report of the company", 20, 10)
        sheet.line(f"{page + 7}", 180, 285)
        sheet.line(f"Part {page // 2}", 20, 285)  # beside the number: it runs too
        sheet.paragraph(SENTENCES[page * 4 : page * 4 + 4], 20, 40)
    text = "\n".join(block.text for block in read(sheet).blocks)
    assert text.count("Annual report of the company") == 1  # the first may be a title
    assert "Part" not in text
    assert all(sentence in text for sentence in SENTENCES[:24])


def test_a_page_that_is_repeated_whole_keeps_its_first_and_last_line(read: Callable[[Sheet], Document]) -> None:
    sheet = Sheet()
    for _ in range(2):
        sheet.page()
        sheet.line("May 5, 2023", 20, 10)
        sheet.paragraph(SENTENCES[:8], 20, 40)
        sheet.line("Mallori", 20, 250)
    text = "\n".join(block.text for block in read(sheet).blocks)
    assert (text.count("May 5, 2023"), text.count("Mallori")) == (2, 2)


def test_headings_that_are_numbered_as_the_pages_are_kept(read: Callable[[Sheet], Document]) -> None:
    sheet = Sheet()
    for page in range(4):
        sheet.page()
        sheet.font(16)
        sheet.line(f"Lesson {page + 1}", 20, 20)
        sheet.font()
        sheet.paragraph(SENTENCES[page * 6 : page * 6 + 6], 20, 40)
    headings = [text for text, level in outline(read(sheet)) if level]
    assert headings == ["Lesson 1", "Lesson 2", "Lesson 3", "Lesson 4"]


def test_bold_headings_in_the_size_of_the_text_are_no_page_numbers(read: Callable[[Sheet], Document]) -> None:
    def text(heading: str, style: str, footer: str, footer_size: float = 11) -> list[tuple[str, int]]:
        sheet = Sheet()
        for page in range(4):
            sheet.page()
            sheet.font(11, style)
            sheet.line(heading.format(page + 1), 20, 20)
            sheet.font()
            sheet.paragraph(SENTENCES[page * 6 : page * 6 + 6], 20, 40)
            sheet.font(footer_size, style)
            sheet.line(footer.format(page + 1), 100, 285)
        return [(text, level) for text, level in outline(read(sheet)) if text[:4] in ("Less", "Page", "1", "2")]

    lessons = [f"Lesson {number}" for number in range(1, 5)]
    assert text("Lesson {}", "B", "") == [(lesson, 1) for lesson in lessons]
    assert text("Lesson {}", "B", "{}") == [(lesson, 1) for lesson in lessons]
    assert [lesson for lesson, _ in text("Lesson {}", "", "{}")] == lessons
    assert text("Page {}", "B", "") == []
    assert text("", "B", "Page {} of 4", 16) == []


def test_lines_repeated_on_distant_pages_are_kept(read: Callable[[Sheet], Document]) -> None:
    sheet = Sheet()
    for page in range(9):
        sheet.page()
        sheet.line("Overview" if page in (0, 4, 8) else f"Topic {'abcdefghi'[page]}", 20, 10)
        sheet.paragraph(SENTENCES[page * 3 : page * 3 + 3], 20, 40)
    assert [block.text for block in read(sheet).blocks].count("Overview") == 3


def test_code_keeps_its_lines_and_indentation(read: Callable[[Sheet], Document]) -> None:
    sheet = Sheet()
    sheet.page()
    end = sheet.paragraph(SENTENCES[:4], 20, 30)
    sheet.font(10, family="Courier")
    sheet.paragraph(["def f():", "    return 1"], 20, end + 8)
    code = read(sheet).blocks[-1]
    assert (code.text, code.verbatim) == ("def f():\n    return 1", True)


def test_rotated_text_in_the_margin_is_not_the_title(read: Callable[[Sheet], Document]) -> None:
    sheet = Sheet()
    sheet.page()
    sheet.font(24)
    with sheet.pdf.rotation(90, 15, 200):
        sheet.line("arXiv 1234 from the margin", 15, 200)
    sheet.font(16)
    sheet.line("The title of the paper", 40, 20)
    sheet.font()
    sheet.paragraph(SENTENCES[:5], 40, 40)
    assert read(sheet).title == "The title of the paper"


@pytest.mark.parametrize(
    "title", ["Microsoft Word - x.docx", "untitled", "report_v2.pdf", "PowerPoint Presentation", "  "]
)
def test_generated_titles_are_not_used(read: Callable[[Sheet], Document], title: str) -> None:
    sheet = Sheet()
    sheet.pdf.set_title(title)
    sheet.pdf.set_author("Ann")
    sheet.page()
    sheet.paragraph(SENTENCES[:2], 20, 30)
    document = read(sheet)
    assert document.title == "a"
    assert document.metadata["author"] == "Ann"
    assert len(str(document.metadata["created"])) == len("2025-01-01")


def test_rotated_text_has_paragraphs(read: Callable[[Sheet], Document]) -> None:
    sheet = Sheet()
    sheet.page()
    with sheet.pdf.rotation(90, 100, 150):
        sheet.paragraph(SENTENCES[:3], 60, 120)
        sheet.paragraph(SENTENCES[3:5], 60, 150)
    assert [text for text, _ in outline(read(sheet))] == [" ".join(SENTENCES[:3]), " ".join(SENTENCES[3:5])]


def test_a_file_that_only_restricts_copying_is_readable(read: Callable[[Sheet], Document]) -> None:
    sheet = Sheet()
    sheet.page()
    sheet.line("Readable.", 20, 30)
    sheet.pdf.set_encryption(owner_password="owner", user_password="")
    assert outline(read(sheet)) == [("Readable.", 0)]


def test_tables_whose_content_runs_by_columns_have_rows(read: Callable[[Sheet], Document]) -> None:
    sheet = Sheet()
    sheet.page()
    sheet.paragraph(SENTENCES[:2], 20, 20)
    columns = (["Crane", "Nora", "Otto", "Paul"], ["Tons", "12", "15", "9"], ["Quay", "north", "south", "west"])
    for column, x in zip(columns, (20, 70, 120), strict=True):
        for row, text in enumerate(column):
            sheet.line(text, x, 40 + 6 * row)
    sheet.paragraph(SENTENCES[2:4], 20, 80)
    assert read(sheet).blocks[1].text == (
        "| Crane | Tons | Quay |\n|---|---|---|\n| Nora | 12 | north |\n| Otto | 15 | south |\n| Paul | 9 | west |"
    )


@pytest.mark.parametrize("by_columns", [True, False])
def test_column_names_of_several_lines_are_one_header(read: Callable[[Sheet], Document], by_columns: bool) -> None:
    sheet = Sheet()
    sheet.page()
    names = [
        (20, ["Month"]),
        (60, ["Ships that", "arrived", "on time"]),
        (110, ["Ships that", "were late", "(n = 9)"]),
    ]
    lines = [(text, x, 30 + 4.5 * row) for x, texts in names for row, text in enumerate(texts)]
    for text, x, y in lines if by_columns else sorted(lines, key=lambda line: line[2]):
        sheet.line(text, x, y)
    for row, texts in enumerate([("May", "few", "some"), ("June", "all", "none"), ("July", "most", "few")]):
        for text, x in zip(texts, (20, 60, 110), strict=True):
            sheet.line(text, x, 48 + 7 * row)
    (table,) = read(sheet).blocks
    assert table.header.startswith("| Month | Ships that arrived on time | Ships that were late (n = 9) |")
    assert table.text.endswith("| May | few | some |\n| June | all | none |\n| July | most | few |")


def test_lines_of_a_paragraph_that_several_short_pages_share_are_kept(read: Callable[[Sheet], Document]) -> None:
    sheet = Sheet()
    for page in range(4):
        sheet.page()
        sheet.line("Port of Example", 20, 10)
        sheet.paragraph([SENTENCES[page], "Divers see to it every year."], 20, 40)
    texts = [block.text for block in read(sheet).blocks]
    assert texts == ["Port of Example", *(f"{SENTENCES[page]} Divers see to it every year." for page in range(4))]


def _grid(sheet: Sheet, rows: list[tuple[float, list[tuple[float, str]]]]) -> Sheet:
    """Cells at heights and positions in millimetres."""
    sheet.page()
    for y, cells in rows:
        for x, text in cells:
            sheet.line(text, x, y)
    return sheet


def test_names_of_columns_that_take_two_lines_are_one_row(read: Callable[[Sheet], Document]) -> None:
    rows: list[tuple[float, list[tuple[float, str]]]] = [
        (30, [(20, "Sample"), (60, "Depth (m)"), (100, "Salt content"), (140, "Flow rate")]),
        (35, [(20, "weight (g)"), (100, "(mg/l)"), (140, "(l/min)")]),
    ]
    rows += [(35.0 + 5 * n, [(20, f"{n}"), (60, f"{n}.50"), (100, f"{n}10"), (140, f"0.{n}4")]) for n in range(1, 6)]
    (table,) = read(_grid(Sheet(), rows)).blocks
    assert table.text.splitlines()[0] == "| Sample weight (g) | Depth (m) | Salt content (mg/l) | Flow rate (l/min) |"
    assert "| 3 | 3.50 | 310 | 0.34 |" in table.text


def test_a_merged_cell_does_not_end_its_table(read: Callable[[Sheet], Document]) -> None:
    rows: list[tuple[float, list[tuple[float, str]]]] = [
        (30, [(20, "Item"), (60, "North"), (90, "South"), (120, "East")]),
        (36, [(20, "Manager"), (60, "Okafor"), (90, "Lindqvist"), (120, "Moreau")]),
        (42, [(20, "Currency"), (64, "euro, for all of these"), (120, "dollar")]),
        (48, [(20, "Revenue"), (60, "410"), (90, "388"), (120, "97")]),
    ]
    (table,) = read(_grid(Sheet(), rows)).blocks
    assert table.text.splitlines()[3:] == [
        "| Currency | euro, for all of these | euro, for all of these | dollar |",
        "| Revenue | 410 | 388 | 97 |",
    ]


def test_characters_of_symbol_fonts_are_bullets() -> None:
    def line(words: list[str], bottom: float) -> Line:
        return Line(tuple(Word(word, 50 + 40 * n, 85 + 40 * n) for n, word in enumerate(words)), bottom, bottom + 9, 10)

    lines = [
        line(["The", "course", "covers"], 700),
        line(["\uf0a7", "metal", "parts"], 688),
        line(["of", "pumps"], 676),
        line(["\uf0d8", "valves"], 664),
        line(["\uf001nding", "leaks"], 640),
    ]
    texts = [block.text for block in page_blocks(lines, Typography.of([lines]), 1)]
    assert texts == ["The course covers", "• metal parts of pumps", "• valves", "\uf001nding leaks"]
