"""The columns of tables of a PDF without rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from retriton_pipeline.documents import Document
from tests.pipeline.test_documents_pdf import Sheet, read  # noqa: F401 - a fixture

Read = Callable[[Sheet], Document]
Cell = tuple[float, float, str]  # millimetres from the left and from the top, text


def rows(cells: Sequence[Cell], read: Read) -> list[str]:  # noqa: F811
    sheet = Sheet()
    sheet.page()
    for x, y, text in cells:
        sheet.line(text, x, y)
    (table,) = read(sheet).blocks
    return table.text.splitlines()


def test_values_beside_their_centred_names_are_in_their_columns(read: Read) -> None:  # noqa: F811
    cells = [(40, 30, "Name"), (85, 30, "Position held here"), (151, 30, "Age")]
    cells += [(20, 36, "Ida"), (70, 36, "Pilot"), (150, 36, "41"), (20, 42, "Otto"), (70, 42, "Cook"), (150, 42, "37")]
    cells += [(20, 48, "Nora Amanda Moe"), (70, 48, "Clerk"), (150, 48, "55")]
    assert rows(cells, read) == [
        "| Name | Position held here | Age |", "|---|---|---|", "| Ida | Pilot | 41 |", "| Otto | Cook | 37 |",
        "| Nora Amanda Moe | Clerk | 55 |",
    ]  # fmt: skip


def test_small_gaps_at_one_place_of_three_lines_are_borders(read: Read) -> None:  # noqa: F811
    cells = [(20, 30, "09:00"), (34.5, 30, "Opening"), (20, 36, "09:30"), (34.5, 36, "Report, with questions"),
             (20, 42, "11:00"), (34.5, 42, "Break"), (20, 48, "11:15"), (34.5, 48, "Vote")]  # fmt: skip
    assert rows(cells, read)[2:] == ["| 09:30 | Report, with questions |", "| 11:00 | Break |", "| 11:15 | Vote |"]


def test_cells_of_several_lines_that_are_drawn_one_after_the_other(read: Read) -> None:  # noqa: F811
    cells = [(20, 30, "Rule"), (60, 30, "What it says"), (130, 30, "Since")]
    for y, name, lines, since in (
        (36, "Speed", ["Ships are slow,", "very slow, in", "the port."], ["1974"]),
        (52, "Noise", ["Horns are used", "only in fog, and", "not at night."], ["1981, and", "2003"]),
        (68, "Waste", ["Never."], ["1960"]),
    ):
        cells.append((20, y, name))
        cells += [(60, y + 4.5 * n, line) for n, line in enumerate(lines)]
        cells += [(130, y + 4.5 * n, line) for n, line in enumerate(since)]
    assert rows(cells, read) == [
        "| Rule | What it says | Since |", "|---|---|---|",
        "| Speed | Ships are slow, very slow, in the port. | 1974 |",
        "| Noise | Horns are used only in fog, and not at night. | 1981, and 2003 |", "| Waste | Never. | 1960 |",
    ]  # fmt: skip
