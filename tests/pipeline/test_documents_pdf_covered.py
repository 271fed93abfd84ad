"""Text of a PDF that something covers or clips, files within it, and what two pages have in common."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from retriton_pipeline.documents import Document
from retriton_pipeline.errors import UnreadableDocument
from tests.pipeline.test_documents_pdf import SENTENCES, Sheet, read  # noqa: F401 - a fixture
from tests.pipeline.test_documents_pdf_visible import BODY
from tests.pipeline.test_documents_pdf_visible import read as read_content  # noqa: F401 - a fixture

Read = Callable[..., list[str]]
ReadSheet = Callable[[Sheet], Document]
TEXT = "BT /F 11 Tf 50 650 Td (Under it) Tj ET"
FILES = "/Names <</EmbeddedFiles <</Names [(a) 6 0 R]>>>>"
FILE = ("<</Type /Filespec /F (map.xlsx) /EF <</F 7 0 R>>>>", "<</Type /EmbeddedFile /Length 1>>\nstream\nx\nendstream")


@pytest.mark.parametrize(
    "content",
    [
        f"{TEXT} 0 g 45 645 200 16 re f",
        f"{TEXT} 1 g 45 645 200 16 re f",
        f"{TEXT} q 1 0 0 1 5 5 cm .5 g 40 640 m 240 640 l 240 656 l 40 656 l h f Q",
        f"{TEXT} q 40 640 300 30 re W n 0 g 0 0 600 800 re f Q",
        f"q 0 0 10 10 re W n {TEXT} Q",
        "BT /F 0.6 Tf 50 650 Td (Under it) Tj ET",
    ],
)
def test_covered_and_clipped_and_tiny_text_is_not_read(read_content: Read, content: str) -> None:  # noqa: F811
    assert read_content(f"{BODY} {content}")[1:] == ["The visible text of this page."]


@pytest.mark.parametrize(
    "content",
    [
        f"1 1 0 rg 45 645 200 16 re f 0 g {TEXT}",
        f"{TEXT} 0 g 45 100 200 16 re f",
        f"{TEXT} 45 645 200 16 re S",
        f"{TEXT} 0 g 45 645 m 45 661 l 245 645 l h f",
        f"{TEXT} q 45 300 200 16 re W n 0 g 0 0 600 800 re f Q",
        f"q 40 640 300 30 re W n {TEXT} Q",
        f"{TEXT} q .7 .7 -.7 .7 145 600 cm 0 g 0 0 60 60 re f Q",
    ],
)
def test_text_that_is_not_covered_is_read(read_content: Read, content: str) -> None:  # noqa: F811
    assert read_content(f"{BODY} {content}")[-1] == "Under it"


def test_attached_files_are_named_and_the_cover_of_a_portfolio_is_not_read(read_content: Read) -> None:  # noqa: F811
    assert read_content(BODY, catalog=FILES, objects=FILE)[1:] == ["The visible text of this page."]
    cover = "BT /F 11 Tf 50 700 Td (For the best experience, open this PDF portfolio in a newer reader.) Tj ET"
    for content, catalog in [(cover, FILES), (BODY, f"{FILES} /Collection <</View /D>>")]:
        with pytest.raises(UnreadableDocument, match=r"portfolio of 1 attached files \(map\.xlsx\)"):
            read_content(content, catalog=catalog, objects=FILE)


def test_the_header_and_the_number_of_two_pages_are_removed(read: ReadSheet) -> None:  # noqa: F811
    sheet = Sheet()
    for number in (1, 2):
        sheet.page()
        sheet.line("List of maps, year 1893", 20, 12)
        sheet.paragraph(SENTENCES[6 * number : 6 * number + 6], 20, 40)
        sheet.line(f"Page {number} of 2", 20, 285)
    texts = [block.text for block in read(sheet).blocks]
    assert texts == ["List of maps, year 1893", " ".join(SENTENCES[6:12]), " ".join(SENTENCES[12:18])]


def test_two_pages_that_are_alike_are_both_read(read: ReadSheet) -> None:  # noqa: F811
    sheet = Sheet()
    for _ in range(2):
        sheet.page()
        sheet.line("Dear reader,", 20, 20)
        sheet.line("the maps are back.", 20, 40)
    assert [block.page for block in read(sheet).blocks] == [1, 2]


def test_narrow_gaps_are_borders_of_cells_where_the_rows_beside_have_them(read: ReadSheet) -> None:  # noqa: F811
    sheet = Sheet()
    sheet.page()
    rows = [
        ["Map room no.", "1891", "1892"],
        ["North, first", "120", "133"],
        ["South", "98", "101"],
        ["West", "7", "8"],
    ]
    for number, row in enumerate(rows):
        for text, x in zip(row, (20, 48, 62), strict=True):
            sheet.line(text, x, 40 + 5 * number)
    (table,) = read(sheet).blocks
    assert table.text.splitlines() == [
        "| Map room no. | 1891 | 1892 |",
        "|---|---|---|",
        "| North, first | 120 | 133 |",
        "| South | 98 | 101 |",
        "| West | 7 | 8 |",
    ]
