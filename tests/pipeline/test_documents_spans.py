"""Cells that span columns and rows, in every markup language with tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from retriton_pipeline.documents import load_document
from tests.hostile import archives
from tests.reading import texts

NAMES = ("office", "text", "table")


def table(*rows: str) -> str:
    return "\n".join([f"| {rows[0]} |", f"|{'---|' * rows[0].count('|')}---|", *(f"| {row} |" for row in rows[1:])])


def test_asciidoc_cells_span_rows_and_columns_and_are_repeated(tmp_path: Path) -> None:
    text = "[cols=3*]\n|===\n|Day 2+^.^h|Height\n\n.2+|Mon |1 |2\n|3 |4\n2*|same |Title|===\n"
    assert texts(tmp_path, "a.adoc", text.replace("Title|", "Title\n|")) == [
        table("Day | Height | Height", "Mon | 1 | 2", "Mon | 3 | 4", "same | same | Title")
    ]


def test_asciidoc_cells_keep_their_last_letters_and_bars(tmp_path: Path) -> None:
    assert texts(tmp_path, "a.adoc", "|===\n|Name|Value\n|cable|a \\| b +\nc\n|===\n") == [
        table("Name | Value", "cable | a \\| b c")
    ]


@pytest.mark.parametrize(
    "source",
    [
        '[format=csv]\n|===\nk,v\n"a, b",1\n|===\n',
        ',===\nk,v\n"a, b",1\n,===\n',
        "[%header,format=dsv]\n|===\nk:v\na, b:1\n|===\n",
        ":===\nk:v\na, b:1\n:===\n",
        "[format=csv,separator=;]\n|===\nk;v\na, b;1\n|===\n",
        "[separator=¦]\n|===\n¦k ¦v\n¦a, b ¦1\n|===\n",
    ],
)
def test_asciidoc_tables_in_other_formats(tmp_path: Path, source: str) -> None:
    assert texts(tmp_path, "a.adoc", source) == [table("k | v", "a, b | 1")]


def test_asciidoc_with_many_spans_is_bounded(tmp_path: Path) -> None:
    rows = "99.99+|a\n" * 2_000 + "99*|" + "b" * 100_000 + "\n"
    assert len(texts(tmp_path, "a.adoc", f"[cols=100*]\n|===\n{rows}|===\n")[0]) < 30_000_000


def test_latex_cells_span_rows_and_columns(tmp_path: Path) -> None:
    rows = (
        r"\hline \multirow{2}{*}{Day} & \multicolumn{2}{c|}{Height} & Note\\ \cline{2-3} & low & high & \\ \hline"
        r"\multirow[t]{2}{2cm}{\textbf{Mon}} & 1 & 2 & \makecell[l]{long\\note}\\ & 3 & 4 & m\\"
        r"\multicolumn{3}{|>{\raggedright}p{2cm}|}{Closed} & k\\ x & 5 & 6 & \\ y & 7 & 8 & \multirow{-2}{*}{up}\\"
    )
    source = rf"\begin{{document}}\begin{{tabular}}[t]{{|l|ccc|}}{rows}\end{{tabular}}\end{{document}}"
    assert texts(tmp_path, "a.tex", source) == [
        table(
            "Day | Height low | Height high | Note", "Mon | 1 | 2 | long note", "Mon | 3 | 4 | m", "Closed |  |  | k",
            "x | 5 | 6 | up", "y | 7 | 8 | up",
        )
    ]  # fmt: skip


def test_latex_long_tables_have_one_head_and_one_foot(tmp_path: Path) -> None:
    rows = (
        r"\caption{Tides\label{t}}\\ Day & Low\\ \endfirsthead Day & Low\\ continued & \\ \endhead"
        r" \multicolumn{2}{r}{next page}\\ \endfoot total & 3\\ \endlastfoot Mon & 1\\ Tue & 2\\"
    )
    source = rf"\begin{{document}}\begin{{longtable}}[c]{{ll}}{rows}\end{{longtable}}\end{{document}}"
    assert texts(tmp_path, "a.tex", source) == ["Tides", table("Day | Low", "Mon | 1", "Tue | 2", "total | 3")]


def test_html_cells_end_with_the_head_that_they_span(tmp_path: Path) -> None:
    head = '<tr><th rowspan="3">Day</th><th colspan="2">Height</th><th rowspan="0">Note</th></tr>'
    body = '<tr><td rowspan="0">Mon</td><td>1</td><td>2</td><td>n</td></tr><tr><td>3</td><td>4</td><td>m</td></tr>'
    page = (
        f"<body><table><thead>{head}<tr><th>low</th><th>high</th></tr></thead><tbody>{body}</tbody>"
        "<tbody><tr><td>Tue</td><td>5</td><td>6</td><td>k</td></tr></tbody></table></body>"
    )
    expected = table("Day | Height low | Height high | Note", "Mon | 1 | 2 | n", "Mon | 3 | 4 | m", "Tue | 5 | 6 | k")
    assert texts(tmp_path, "a.html", page) == [expected]


def test_grid_tables_of_restructured_text(tmp_path: Path) -> None:
    grid = (
        "+-----+------------+\n| Day | Height     |\n|     +-----+------+\n|     | low | high |\n"
        "+=====+=====+======+\n| Mon | 1   | 2    |\n|     +-----+------+\n|     | 3   | 4    |\n+-----+-----+------+\n"
    )
    assert texts(tmp_path, "a.rst", grid) == [table("Day | Height low | Height high", "Mon | 1 | 2", "Mon | 3 | 4")]


def test_heads_of_odt_tables_are_known_and_hold_small_tables(tmp_path: Path) -> None:
    def cells(*texts: str) -> str:
        return "".join(f"<table:table-cell>{text}</table:table-cell>" for text in texts)

    pair = cells("<text:p>in</text:p>", "<text:p>ner</text:p>")
    inner = f"<table:table><table:table-row>{pair}</table:table-row></table:table>"
    head = (
        '<table:table-row><table:table-cell table:number-rows-spanned="2"><text:p>Day</text:p></table:table-cell>'
        '<table:table-cell table:number-columns-spanned="2"><text:p>Height</text:p></table:table-cell>'
        "<table:covered-table-cell/></table:table-row><table:table-row><table:covered-table-cell/>"
        f"{cells('<text:p>low</text:p>', '<text:p>high</text:p>')}</table:table-row>"
    )
    row = f"<table:table-row>{cells('<text:p>Mon</text:p>', '<text:p>1</text:p>', inner)}</table:table-row>"
    names = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in NAMES)
    body = f"<table:table><table:table-header-rows>{head}</table:table-header-rows>{row}</table:table>"
    content = (
        f"<office:document-content {names}><office:body><office:text>{body}</office:text></office:body>"
        "</office:document-content>"
    )
    (tmp_path / "a.odt").write_bytes(archives.archive({"content.xml": content}))
    assert [block.text for block in load_document(tmp_path / "a.odt").blocks] == [
        table("Day | Height low | Height high", "Mon | 1 | in ner")
    ]


@pytest.mark.parametrize(
    "rows",
    [
        '<table><tr><th rowspan="2">Day</th><th colspan="2">Height</th></tr><tr><th>low</th><th>high</th></tr>'
        '<tr><td rowspan="2">Mon</td><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>',
        '<tgroup cols="3"><colspec colname="a"/><colspec colname="b"/><colspec colname="c"/><thead>'
        '<row><entry morerows="1">Day</entry><entry namest="b" nameend="c">Height</entry></row>'
        "<row><entry>low</entry><entry>high</entry></row></thead><tbody>"
        '<row><entry morerows="1">Mon</entry><entry>1</entry><entry>2</entry></row>'
        "<row><entry>3</entry><entry>4</entry></row></tbody></tgroup>",
    ],
)
def test_cells_of_tables_in_xml(tmp_path: Path, rows: str) -> None:
    expected = table("Day | Height low | Height high", "Mon | 1 | 2", "Mon | 3 | 4")
    assert texts(tmp_path, "a.xml", f'<doc xmlns="urn:x"><t>{rows}</t></doc>') == [expected]


def test_left_out_cells_of_excel_in_xml(tmp_path: Path) -> None:
    row = '<Row><Cell ss:Index="{}"><Data>{}</Data></Cell><Cell ss:Index="3"><Data>{}</Data></Cell></Row>'
    rows = row.format(1, "Day", "High") + row.format(2, "low", 7)
    book = f'<Workbook xmlns:ss="urn:x"><Worksheet><Table>{rows}</Table></Worksheet></Workbook>'
    assert texts(tmp_path, "a.xml", book) == [table("Day |  | High", " | low | 7")]
