"""Lists of a PDF whose bullets are shapes or signs, and lines that are close to each other."""

from __future__ import annotations

from collections.abc import Callable

from retriton_pipeline.documents import Document
from retriton_pipeline.documents.pdf.blocks import page_blocks
from retriton_pipeline.documents.pdf.line import Line, Word
from retriton_pipeline.documents.pdf.reading_order import in_reading_order
from retriton_pipeline.documents.pdf.regions import Region
from retriton_pipeline.documents.pdf.typography import Typography
from tests.pipeline.test_documents_pdf import SENTENCES, Sheet, read  # noqa: F401 - a fixture

Read = Callable[[Sheet], Document]


def test_shapes_in_front_of_lines_are_bullets(read: Read) -> None:  # noqa: F811
    sheet = Sheet()
    sheet.page()
    sheet.paragraph(SENTENCES[:2], 20, 20)
    for x, y, lines in ((25, 40, ["Ships wait for the", "pilot"]), (30, 50, ["Small ships"]), (25, 55, ["Boats"])):
        sheet.pdf.ellipse(x - 3, y - 2, 1.4, 1.4, style="D" if x == 30 else "F")
        sheet.paragraph(lines, x, y)
    for x, y, label in ((100, 100, "A"), (120, 110, "B2")):
        sheet.pdf.ellipse(x - 3, y - 2, 1.4, 1.4, style="F")
        sheet.line(label, x, y)
    texts = [block.text for block in read(sheet).blocks]
    assert texts[1:] == ["• Ships wait for the pilot", "• Small ships", "• Boats", "A", "B2"]


def test_boxes_and_check_marks_start_items() -> None:
    signs = "☐☑☒✓✔✗✘‣►"
    lines = [
        Line((Word(sign, 50, 56), Word("Lamps", 60, 90)), 700 - 12 * n, 709 - 12 * n, 10)
        for n, sign in enumerate(signs)
    ]
    assert [block.text for block in page_blocks(lines, Typography.of([lines]), 1)] == [
        f"{sign} Lamps" for sign in signs
    ]


def test_close_lines_whose_boxes_overlap_are_read_from_top_to_bottom() -> None:
    def region(text: str, left: float, bottom: float, size: float) -> Region:
        return Region((Line((Word(text, left, left + 40),), bottom, bottom + 1.2 * size, size),))

    below = region("The text below is drawn first of all.", 85, 100, 10)
    cards = [[region("3-6", left, 426, 18), region("months", left - 0.2, 418, 9)] for left in (119, 211)]
    title = region("The title of all of these cards", 90, 480, 12)
    ordered = in_reading_order([below, title, cards[0][0], cards[0][1], cards[1][0], cards[1][1]], 10)
    assert ordered == [title, *cards[0], *cards[1], below]
