"""Which lines of a PDF are one paragraph."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from retriton_pipeline.documents import Document
from retriton_pipeline.documents.pdf.characters import Characters
from tests.pipeline.test_documents_pdf import SENTENCES, Sheet, read  # noqa: F401 - a fixture

Read = Callable[[Sheet], Document]


def texts(document: Document) -> list[str]:
    return [block.text for block in document.blocks]


def test_paragraphs_of_few_lines_that_are_closer_than_the_paragraphs(read: Read) -> None:  # noqa: F811
    sheet = Sheet()
    sheet.page()
    short = "and some more."
    sheet.line("Dear reader,", 20, 20)
    for number in range(3):
        sheet.paragraph([SENTENCES[number], short], 20, 29 + 14 * number)
    sheet.line("Yours sincerely", 20, 71)
    sheet.line("The editors", 20, 80)
    sheet.line("Leith", 20, 85)
    paragraphs = [f"{SENTENCES[number]} {short}" for number in range(3)]
    assert texts(read(sheet)) == ["Dear reader,", *paragraphs, "Yours sincerely", "The editors Leith"]


def test_the_end_of_a_cell_and_the_top_of_the_next_column_are_two_lines() -> None:
    def runs(height: float, size: float) -> list[str]:
        first = [(6.0 * n, 100.0, 6.0 * n + 6, 112.0) for n in range(5)]
        second = [(80 + 6.0 * n, height, 86 + 6.0 * n, height + size) for n in range(4)]
        codes = np.array([ord(character) for character in "port.1974"], np.uint32)
        characters = Characters(codes, np.array([*first, *second], np.float64))
        return [run.text for run in characters.runs(np.zeros(9, np.bool_))]

    assert runs(114.0, 12.0) == ["port.", "1974"]
    assert runs(104.0, 12.0) == ["port.1974"]  # raised
    assert runs(114.0, 6.0) == ["port.1974"]  # smaller: a limit of a sum


def test_entries_with_dot_leaders_keep_their_lines(read: Read) -> None:  # noqa: F811
    sheet = Sheet()
    sheet.page()
    dots = "." * 30
    for number, entry in enumerate([f"1 The port {dots} 3", f"1.1 The quay {dots} 4", f"Rope {dots} 2.40 EUR"]):
        sheet.line(entry, 20, 30 + 5 * number)
    (block,) = read(sheet).blocks
    assert block.text == "1 The port … 3\n1.1 The quay … 4\nRope … 2.40 EUR"
