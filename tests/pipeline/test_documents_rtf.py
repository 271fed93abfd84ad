r"""Headings, tables, symbols and objects of RTF files."""

from __future__ import annotations

from pathlib import Path

import pytest

from retriton_pipeline.documents import load_document

FONTS = rb"{\fonttbl{\f0\fcharset0 Arial;}{\f3\fnil\fcharset2 Symbol;}{\f1\fnil\fcharset204 Arial Cyr;}}"


def read(folder: Path, body: bytes) -> list[tuple[int, str]]:
    (folder / "a.rtf").write_bytes(rb"{\rtf1\ansi\ansicpg1252" + FONTS + body + b"}")
    return [(block.heading_level, block.text) for block in load_document(folder / "a.rtf").blocks]


def row(*cells: bytes, definitions: bytes = b"", rights: tuple[int, ...] = ()) -> bytes:
    edges = rights or tuple(range(2000, 2000 * len(cells) + 1, 2000))
    defined = definitions or b"".join(rb"\cellx%d" % right for right in edges)
    texts = b"".join(cell + rb"\cell " for cell in cells)
    return rb"\trowd" + defined + rb"\pard\intbl " + texts + rb"\row "


@pytest.mark.parametrize(
    ("body", "blocks"),
    [
        (rb"{\pard\outlinelevel0 One\par}{\pard Text.\par}\pard\outlinelevel1 Two\line more\par Three\par\pard End\par",
         [(1, "One"), (0, "Text."), (2, "Two more"), (2, "Three"), (0, "End")]),
        (rb"{\stylesheet{\s0 Normal;}{\s1\b heading 1;}{\s2\outlinelevel2 Own;}}\pard\s1 One\par\pard\s0 Text.\par"
         rb"\pard\s2 Deep\par\pard\s2\outlinelevel9 No heading.\par",
         [(1, "One"), (0, "Text."), (3, "Deep"), (0, "No heading.")]),
        (rb"{\stylesheet{\s1 heading 1;}}{\pntext 1.\tab}\pard\s1 One\par\pard Text.\par",
         [(1, "1. One"), (0, "Text.")]),
    ],
)  # fmt: skip
def test_headings_are_those_of_the_outline_and_of_styles(
    tmp_path: Path, body: bytes, blocks: list[tuple[int, str]]
) -> None:
    assert read(tmp_path, body) == blocks


def table(folder: Path, *rows: bytes) -> list[str]:
    ((_, text),) = read(folder, b"".join(rows))
    return text.splitlines()


def test_cells_with_several_lines_and_bars(tmp_path: Path) -> None:
    rows = row(b"Step", b"Tasks") + row(b"One", rb"first\par second") + row(rb"x|y", rb"a\line b")
    assert table(tmp_path, rows)[2:] == ["| One | first second |", r"| x\|y | a b |"]
    assert read(tmp_path, rb"\pard x|y|\par ") == [(0, "x|y|")]


@pytest.mark.parametrize(
    "first",
    [
        row(b"Map", b"Sales", b"", definitions=rb"\cellx2000\clmgf\cellx4000\clmrg\cellx6000"),
        row(b"Map", b"Sales", rights=(2010, 6000)),
    ],
)
def test_cells_that_span_columns(tmp_path: Path, first: bytes) -> None:
    rows = row(b"", b"2023", b"2024") + row(b"sea", b"1", b"2")
    assert table(tmp_path, first, rows)[0] == "| Map | Sales 2023 | Sales 2024 |"


def test_cells_that_span_rows(tmp_path: Path) -> None:
    first = row(b"North", b"Oslo", definitions=rb"\clvmgf\cellx2000\cellx4000")
    second = row(b"", b"Bergen", definitions=rb"\clvmrg\cellx2000\cellx4000")
    assert table(tmp_path, row(b"Region", b"City"), first, second)[2:] == ["| North | Oslo |", "| North | Bergen |"]


def test_tables_in_cells(tmp_path: Path) -> None:
    inner = (
        rb"\pard\intbl\itap2 x\nestcell 1\nestcell{\*\nesttableprops\trowd\cellx100\cellx200\nestrow}"
        rb"{\nonesttables\par}\pard\intbl\itap1 after"
    )
    assert table(tmp_path, row(b"Key", b"Value") + row(b"A", inner))[2:] == ["| A | x 1 ; after |"]


def test_symbols_of_fonts(tmp_path: Path) -> None:
    bullet = rb"{\listtext\f3\'b7\tab}First {\f3 a\'62\u-3997 ?} and {\f1 \'cf}\par "
    assert read(tmp_path, bullet) == [(0, "•\tFirst αβχ and П")]


def test_what_objects_show_is_read(tmp_path: Path) -> None:
    body = rb"See {\object\objemb{\*\objdata 0105}{\result{Total 5}}} here.\par "
    assert read(tmp_path, body) == [(0, "See Total 5 here.")]


@pytest.mark.parametrize(
    ("start", "code"),
    [(rb"\mac", b"8e"), (rb"\mac\ansicpg10000", b"8e"), (rb"\pc", b"82"), (rb"\pca", b"82"), (rb"\ansi", b"e9")],
)
def test_character_sets_of_older_systems(tmp_path: Path, start: bytes, code: bytes) -> None:
    (tmp_path / "a.rtf").write_bytes(rb"{\rtf1" + start + rb"\deff0 caf\'" + code + b"}")
    assert [block.text for block in load_document(tmp_path / "a.rtf").blocks] == ["café"]
