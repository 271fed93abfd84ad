"""What a browser shows of a page besides its paragraphs: frames, formulas, drawings, controls; and what it hides."""

from __future__ import annotations

from pathlib import Path

import pytest

from retriton_pipeline.documents import load_document

TEXT = "<p>The keeper of the archive lists every map that was lent, with the day of its return.</p>"


def texts(tmp_path: Path, body: str, head: str = "") -> list[str]:
    file = tmp_path / "a.html"
    file.write_text(f"<html><head>{head}</head><body>{body}{TEXT}</body></html>", encoding="utf-8")
    return [block.text for block in load_document(file).blocks][:-1]


def test_pages_within_a_page_are_read(tmp_path: Path) -> None:
    inner = "<h2>Hours</h2><p>Nine &amp;amp; five.</p><iframe srcdoc='&amp;lt;p&amp;gt;Closed on Sunday.'></iframe>"
    framed = inner.replace("<", "&lt;").replace('"', "&quot;")
    assert texts(tmp_path, f'<iframe srcdoc="{framed}"></iframe><iframe src="/other"></iframe>') == [
        "Hours",
        "Nine & five.",
        "Closed on Sunday.",
    ]


def test_the_shadow_tree_that_a_page_declares_is_read_and_other_templates_are_not(tmp_path: Path) -> None:
    card = "<my-card><template shadowrootmode=open><style>p{}</style><p>In the shadow.</p></template></my-card>"
    assert texts(tmp_path, f"{card}<template><p>For a script.</p></template>") == ["In the shadow."]


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("<msup><mi>c</mi><mn>2</mn></msup>", "c^2"),
        ("<mfrac><mrow><mi>a</mi><mo>+</mo><mn>1</mn></mrow><mi>b</mi></mfrac>", "(a+1)/b"),
        ("<msqrt><mi>x</mi></msqrt><mroot><mi>y</mi><mn>3</mn></mroot>", "√(x)3√(y)"),
        ("<munderover><mo>∑</mo><mi>i</mi><mi>n</mi></munderover>", "∑_i^n"),
        ("<mtable><mtr><mtd>a</mtd><mtd>b</mtd></mtr><mtr><mtd>c</mtd><mtd>d</mtd></mtr></mtable>", "a, b; c, d"),
        ("<semantics><mi>q</mi><annotation>q in TeX</annotation></semantics>", "q"),
    ],
)
def test_formulas_are_on_one_line(tmp_path: Path, formula: str, text: str) -> None:
    assert texts(tmp_path, f"<p>It is <math>{formula}</math> here.</p>") == [f"It is {text} here."]


def test_a_formula_that_is_also_drawn_is_read_once(tmp_path: Path) -> None:
    drawn = "<span><math><mi>x</mi><mo>+</mo><mi>y</mi></math></span><span aria-hidden=true>x+y</span>"
    image = '<img class="tex" alt="a \\le b"><img class="photo" alt="A map">'
    assert texts(tmp_path, f"<p>Sum {drawn}.</p><p>As {image}.</p>") == ["Sum x+y.", "As a \\le b ."]


def test_texts_of_drawings_are_read(tmp_path: Path) -> None:
    drawing = "<svg><title>plan</title><text>Map <tspan>room</tspan></text><g><text>Store</text></g></svg>"
    assert texts(tmp_path, f"<p>Plan {drawing} of the house.</p>") == ["Plan", "Map room", "Store", "of the house."]


def test_lists_of_choices_show_what_is_chosen(tmp_path: Path) -> None:
    body = (
        "<p>Size <select><option>A<option selected>B</select></p><p>Ink <select><option>red<option>blue</select></p>"
        "<p>Fold <select><option value=''>choose<option>yes</select></p>"
        "<p>For <select multiple><option>sea<option>land</select></p>"
    )
    assert texts(tmp_path, body) == ["Size B", "Ink red", "Fold", "For sea land"]


def test_what_stands_in_for_scripts_and_films_is_read_only_if_it_is_shown(tmp_path: Path) -> None:
    article = "<p>Engines of JavaScript compile in tiers. " + "Each tier knows more about the types. " * 8
    body = f"<video>No films here.</video><noscript>Please enable JavaScript.</noscript><noscript>{article}</noscript>"
    (read,) = texts(tmp_path, body)
    assert read.startswith("Engines of JavaScript")


@pytest.mark.parametrize(
    "style",
    [
        "position:absolute; left:-9999px",
        "position: fixed; top: -100em",
        "position:absolute;clip:rect(0 0 0 0)",
        "position:absolute;clip:rect(1px, 1px, 1px, 1px)",
        "font-size:0px",
        "opacity: 0",
        "opacity:0.0!important",
        "visibility:hidden",
    ],
)
def test_text_that_styles_put_out_of_sight_is_not_read(tmp_path: Path, style: str) -> None:
    assert texts(tmp_path, f'<p style="{style}">unseen</p>') == []
    if "font" not in style:
        assert texts(tmp_path, "<p class=u>unseen</p>", f"<style>.u {{{style}}}</style>") == []


@pytest.mark.parametrize(
    ("style", "head"),
    [
        ("opacity:0.5", ""),
        ("opacity:0", "<script>show()</script>"),
        ("opacity:0;animation:fade 1s forwards", ""),
        ("left:-9999px", ""),
        ("position:absolute;left:-20px", ""),
        ("font-size:0.9em", ""),
    ],
)
def test_text_that_may_be_seen_is_read(tmp_path: Path, style: str, head: str) -> None:
    assert texts(tmp_path, f'<p style="{style}">seen</p>', head) == ["seen"]


def test_the_foot_of_a_table_is_its_last_row(tmp_path: Path) -> None:
    rows = "<thead><tr><th>Map<th>Days<tfoot><tr><td>all<td>9<tbody><tr><td>sea<td>4<tr><td>land<td>5"
    (text,) = texts(tmp_path, f"<table>{rows}</table>")
    assert text.splitlines()[2:] == ["| sea | 4 |", "| land | 5 |", "| all | 9 |"]


def test_a_row_that_names_those_below_it_is_no_header(tmp_path: Path) -> None:
    rows = "<tr><th>Map<th>Days</tr><tr><th colspan=2>North</tr><tr><td>sea<td>4</tr>"
    (text,) = texts(tmp_path, f"<table>{rows}</table>")
    assert text.splitlines() == ["| Map | Days |", "|---|---|", "| North |  |", "| sea | 4 |"]


def test_tables_and_code_in_cells_are_on_the_line_of_their_row(tmp_path: Path) -> None:
    inner = "<table><tr><td>sheets<td>4</tr><tr><td>covers<td>1</tr></table>"
    (text,) = texts(
        tmp_path,
        f"<table><tr><th>Map<th>Parts<th>Call</tr><tr><td>sea<td>{inner}<td><pre>get 1</pre></tr>"
        "<tr><td>land<td>one<td><pre>get 2</pre></tr></table>",
    )
    assert text.splitlines()[2:] == ["| sea | sheets 4; covers 1 | get 1 |", "| land | one | get 2 |"]


def test_line_breaks_of_the_source_are_no_spaces_within_chinese_and_japanese(tmp_path: Path) -> None:
    assert texts(tmp_path, "<p>地図は\n  棚に\nあります。</p><p>map\n棚 shelf<br>地図<br>棚</p>") == [
        "地図は棚にあります。",
        "map 棚 shelf\n地図\n棚",
    ]


def test_quotations_have_their_marks(tmp_path: Path) -> None:
    assert texts(tmp_path, "<p>He said <q>lend it</q>.</p>") == ['He said "lend it".']


@pytest.mark.parametrize(("table", "data"), [("table", "cell"), ("grid", "gridcell")])
def test_tables_that_are_made_with_roles_have_columns(tmp_path: Path, table: str, data: str) -> None:
    rows = "".join(
        f'<div role="row"><span role="{role}">{first}</span><span role="{role}">{second}</span></div>'
        for role, first, second in (("columnheader", "Part", "Price"), (data, "Bolt", "3"), (data, "Nut", "1"))
    )
    assert "| Part | Price |\n|---|---|\n| Bolt | 3 |\n| Nut | 1 |" in texts(
        tmp_path, f'<div role="table">{rows}</div>'
    )
