"""What the fonts of a PDF tell: code, and the large brackets of formulas."""

from __future__ import annotations

from collections.abc import Callable

from retriton_pipeline.documents import Document
from tests.pipeline.test_documents_pdf import SENTENCES, Sheet, read  # noqa: F401 - a fixture
from tests.pipeline.test_documents_pdf_visible import BODY, BODY_TEXT
from tests.pipeline.test_documents_pdf_visible import read as read_content  # noqa: F401 - a fixture

Read = Callable[..., list[str]]
ReadSheet = Callable[[Sheet], Document]


def test_code_with_aligned_columns_and_empty_lines_is_no_table(read: ReadSheet) -> None:  # noqa: F811
    sheet = Sheet()
    sheet.page()
    end = sheet.paragraph(SENTENCES[:2], 20, 30)
    sheet.font(9, family="Courier")
    code = ["SELECT   name,", "         tons", "FROM     ships  -- of all ports", "", "ORDER BY tons;"]
    for number, line in enumerate(code):
        start = 0
        for word in line.split():  # each drawn at its place, as by programs for typesetting
            start = line.index(word, start)
            sheet.line(word, 20 + start * 0.6 * 9 * 0.3528, end + 8 + 4 * number)
    text, listing = read(sheet).blocks
    assert (text.text, text.heading_level) == (" ".join(SENTENCES[:2]), 0)
    assert (listing.text, listing.verbatim) == ("\n".join(code), True)


def test_a_font_whose_letters_are_as_wide_is_monospaced(read_content: Read) -> None:  # noqa: F811
    widths = " ".join(["500"] * 95)
    font = f"<</Type /Font /Subtype /TrueType /BaseFont /Gothic /FirstChar 32 /LastChar 126 /Widths [{widths}]>>"
    code = "BT /E 10 Tf 50 650 Td (if large:) Tj ET BT /E 10 Tf 70 638 Td (wait) Tj ET"
    assert read_content(f"{BODY} {code}", objects=(font,))[1:] == [BODY_TEXT, "if large:\n   wait"]


def test_large_brackets_of_formulas_are_no_bullets(read_content: Read) -> None:  # noqa: F811
    map_ = (
        "/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <FF> endcodespacerange "
        "2 beginbfchar <41> <0012> <42> <0013> endbfchar endcmap end"
    )
    font = "<</Type /Font /Subtype /Type1 /BaseFont /ABCDEF+CMEX10 /ToUnicode 7 0 R>>"
    row = "BT /E 11 Tf 50 650 Td (A) Tj /F 11 Tf (1 0 tons) Tj /E 11 Tf (B) Tj ET"
    stream = f"<</Length {len(map_)}>>\nstream\n{map_}\nendstream"
    assert read_content(f"{BODY} {row}", objects=(font, stream))[1:] == [BODY_TEXT, "(1 0 tons)"]
