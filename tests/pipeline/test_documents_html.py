from __future__ import annotations

from pathlib import Path

import pytest

from retriton_pipeline.documents import Block, load_document
from retriton_pipeline.errors import UnreadableDocument

SENTENCE = "The vectors of all passages are kept in one collection, which remembers its encoder. "


def blocks(tmp_path: Path, body: str, head: str = "") -> list[Block]:
    file = tmp_path / "a.html"
    file.write_text(f"<html><head>{head}</head><body>{body}</body></html>")
    return list(load_document(file).blocks)


def texts(tmp_path: Path, body: str) -> list[str]:
    return [block.text for block in blocks(tmp_path, body)]


def test_tables_become_markdown_with_a_header(tmp_path: Path) -> None:
    (table,) = blocks(
        tmp_path,
        "<table><tr><th>Name</th><th>a|b</th></tr><tr><td><b>One</b><br>two</td><td>1</td></tr>"
        "<tr><td> </td><td></td></tr></table>",
    )
    assert table == Block(
        "| Name | a\\|b |\n|---|---|\n| One two | 1 |", verbatim=True, header="| Name | a\\|b |\n|---|---|"
    )


def test_cells_that_span_rows_are_repeated_and_columns_stay_aligned(tmp_path: Path) -> None:
    (text,) = texts(
        tmp_path,
        "<table><tr><th>Year</th><th>Month</th><th>Cost</th></tr><tr><td rowspan=2>2025</td><td>May</td><td>1</td></tr>"
        "<tr><td>June</td><td>2</td></tr><tr><td colspan=2>Total</td><td>3</td></tr></table>",
    )
    assert text.splitlines()[2:] == ["| 2025 | May | 1 |", "| 2025 | June | 2 |", "| Total |  | 3 |"]


def test_spacer_columns_of_financial_tables_are_removed(tmp_path: Path) -> None:
    rows = "".join(
        f"<tr><td>{name}</td><td></td><td>$</td><td>({n}</td><td>)</td><td>$</td><td>{n}</td><td></td></tr>"
        for name, n in [("Sales", 1), ("Costs", 2), ("Taxes", 3), ("Net", 4)]
    )
    header = "<tr><td></td><td></td><td colspan=2>2021</td><td></td><td colspan=2>2020</td><td></td></tr>"
    (text,) = texts(tmp_path, f"<table>{header}{rows}</table>")
    assert text.splitlines()[0] == "|  | 2021 | 2020 |"
    assert text.splitlines()[2] == "| Sales | $(1) | $1 |"


def test_units_are_not_joined_with_adjacent_cells(tmp_path: Path) -> None:
    (text,) = texts(
        tmp_path, "<table><tr><th>Force</th><th>Share</th></tr><tr><td>N/mm</td><td>%</td></tr>"
        "<tr><td>$</td><td>name</td></tr><tr><td>890</td><td>12</td></tr></table>",
    )  # fmt: skip
    assert text.splitlines()[2:] == ["| N/mm | % |", "| $ | name |", "| 890 | 12 |"]


def test_columns_below_a_merged_head_carry_it(tmp_path: Path) -> None:
    rows = "<tr><td rowspan=2>Ferry</td><td>4</td><td>9</td></tr><tr><td>5</td><td>11</td></tr>"
    for cell in ("th", "td"):
        head = (
            f"<tr><{cell} rowspan=2>Line</{cell}><{cell} colspan=2>Fare</{cell}></tr>"
            f"<tr><{cell}>child</{cell}><{cell}>adult</{cell}></tr>"
        )
        (text,) = texts(tmp_path, f"<table>{head}{rows}</table>")
        assert text.splitlines()[0] == "| Line | Fare child | Fare adult |"
        assert text.splitlines()[2:] == ["| Ferry | 4 | 9 |", "| Ferry | 5 | 11 |"]


def test_rows_of_words_below_a_marked_header_are_no_part_of_it(tmp_path: Path) -> None:
    assert texts(
        tmp_path,
        "<table><tr><td colspan=3>Table 1: shifts</td></tr><tr><th></th><th>Monday</th><th>Friday</th></tr>"
        "<tr><td>Ann</td><td>early</td><td>late</td></tr><tr><td>Bob</td><td>late</td><td>off</td></tr></table>",
    ) == ["Table 1: shifts", "|  | Monday | Friday |\n|---|---|---|\n| Ann | early | late |\n| Bob | late | off |"]


@pytest.mark.parametrize("cell", ["th", "td"])
def test_a_long_cell_does_not_end_a_table(tmp_path: Path, cell: str) -> None:
    long = "Open the valve a little further. " * 40
    (table,) = blocks(
        tmp_path,
        f"<table><tr><{cell}>Fault</{cell}><{cell}>Remedy</{cell}></tr><tr><td>F7</td><td>{long}</td></tr>"
        "<tr><td>F8</td><td>Call us</td></tr><tr><td>F9</td><td>Wait</td></tr></table>",
    )
    assert table.header == "| Fault | Remedy |\n|---|---|"
    assert table.text.endswith("| F8 | Call us |\n| F9 | Wait |")


def test_layout_tables_are_read_as_text(tmp_path: Path) -> None:
    inner = "<table><tr><td>k</td><td>v</td></tr><tr><td>1</td><td>2</td></tr></table>"
    assert texts(tmp_path, f"<table><tr><td><p>One.</p><p>Two.</p>{inner}</td><td>Three.</td></tr></table>") == [
        "One.",
        "Two.",
        "| k | v |\n|---|---|\n| 1 | 2 |",
        "Three.",
    ]


def test_nested_tables_are_read_in_linear_time(tmp_path: Path) -> None:
    depth = 60  # two ways at each level would be 2^60
    assert texts(tmp_path, "<table><tr><td>" * depth + "text" + "</td></tr></table>" * depth) == ["text"]


def test_lists_code_and_bold_headings(tmp_path: Path) -> None:
    made = blocks(
        tmp_path,
        "<p><b>Costs</b></p><ul><li>a<ul><li>b</li></ul></li><li><p>c</p><p>d</p></li></ul><ol><li>e</li></ol>"
        "<pre>x  = 1\n\n  y</pre><p><b>Note:</b> text</p>",
    )
    assert [(block.text, block.heading_level) for block in made] == [
        ("Costs", 6),
        ("- a\n  - b\n- c\n  d", 0),
        ("1. e", 0),
        ("```\nx  = 1\n\n  y\n```", 0),
        ("Note: text", 0),
    ]


def test_items_of_lists_are_found_anywhere_in_them(tmp_path: Path) -> None:
    made = texts(
        tmp_path, "<ul>Bring:<div><li>rope</li><span><li>a lamp</li></span></div>and <b>boots</b></ul><li>alone</li>"
    )
    assert made == ["Bring:\n- rope\n- a lamp\nand boots", "alone"]


def test_numbers_of_lists_are_those_that_readers_see(tmp_path: Path) -> None:
    made = texts(
        tmp_path,
        "<ol start=7><li>seven<ol type=a><li>sub</ol>more<li value=12>twelve<li><h3>Head</h3><p>text</ol>"
        "<ol reversed><li>two<li>one</ol><ol type=I start=49><li>roman</ol><ol start=x><li>first</ol>",
    )
    assert made == [
        "7. seven\n  a. sub\n  more\n12. twelve", "13. Head", "  text", "2. two\n1. one", "XLIX. roman", "1. first"
    ]  # fmt: skip


def test_deleted_text_and_readings_are_skipped(tmp_path: Path) -> None:
    made = texts(
        tmp_path,
        "<p>The fee is <del>10</del><ins>12</ins> crowns <s>cash</s> <i style='text-decoration: line-through'>or</i> "
        "by card.</p><p><ruby>港<rp>(</rp><rt>みなと</rt><rp>)</rp></ruby>へ行く</p><pre>a<br>b<del>c</del></pre>",
    )
    assert made == ["The fee is 12 crowns by card.", "港へ行く", "```\na\nb\n```"]


def test_references_to_footnotes_are_apart_from_words_and_numbers(tmp_path: Path) -> None:
    note = "<sup><a href='#n'>3</a></sup>"
    made = texts(
        tmp_path, f"<p>The mast{note} of 2030{note} has 10<sup>4</sup> parts.<sup><a href='#m'>[4]</a></sup></p>"
    )
    assert made == ["The mast[3] of 2030[3] has 10^4 parts.[4]"]


def test_form_fields_show_their_values(tmp_path: Path) -> None:
    made = texts(
        tmp_path,
        "<form><label>Boat</label><input value=Tern><input type=hidden value=token><br>"
        "<input type=radio checked> sail <input type=radio> oars<p><input type=checkbox></p>"
        "<select><option>May<option selected>June</select>"
        "<button>Send</button></form>",
    )
    assert made == ["Boat Tern\n☒ sail ☐ oars", "June"]


def test_a_box_that_is_written_alone_is_kept(tmp_path: Path) -> None:
    made = texts(tmp_path, "<table><tr><th>Form<th>Used<tr><td>10-K<td>☒<tr><td>10-KT<td>☐</table><p>☐</p>")
    assert made == ["| Form | Used |\n|---|---|\n| 10-K | ☒ |\n| 10-KT | ☐ |", "☐"]


def test_what_readers_can_open_is_content(tmp_path: Path) -> None:
    made = texts(
        tmp_path,
        "<button role=tab aria-controls=a>Linux</button><div id=a hidden>apt</div>"
        "<div role=tabpanel style='display: none'>brew</div><h3><button>Lost key?</button></h3><p>Ask Ann.</p>"
        "<button class=accordion>Opening hours</button><div style='display:none'>Nine to five.</div>"
        "<div><button>How long?</button></div><div hidden>A day.</div>"
        "<button>Copy</button><div hidden>draft</div><dialog>Cookies?</dialog><div role=dialog hidden id=b>modal</div>"
        "<button aria-controls=b>Write to us</button>",
    )
    assert made == [
        "Linux",
        "apt",
        "brew",
        "Lost key?",
        "Ask Ann.",
        "Opening hours",
        "Nine to five.",
        "How long?",
        "A day.",
        "Write to us",
    ]


def test_hidden_elements_are_skipped(tmp_path: Path) -> None:
    hidden = "<div style='display: none'>xbrl</div><p hidden>h</p><script>s()</script><!-- c --><style>p {}</style>"
    image = f"<img alt='logo' src='data:image/png;base64,{'QUJD' * 1000}'>"
    assert texts(tmp_path, f"{hidden}{image}<p>{SENTENCE}</p>") == [SENTENCE.strip()]


def test_elements_within_the_content_are_kept(tmp_path: Path) -> None:
    menu = "".join(f"<li><a href='/{n}'>Menu item {n}</a></li>" for n in range(20))
    body = (
        f"<div class='menu'><ul>{menu}</ul></div><div id='content'><h1>Steel</h1><p>{SENTENCE * 4}</p>"
        "<table><tr><td>Standard</td><td><a href='/x'>JIS G 4108</a></td></tr>"
        "<tr><td>Use</td><td>bolts</td></tr></table>"
        "<ul><li><a href='/a'>The first appendix</a></li><li><a href='/b'>The second one</a></li></ul>"
        f"<p>{SENTENCE * 4}</p></div><div class='footer'><p>Copyright, all rights reserved by nobody at all</p></div>"
    )
    text = "\n".join(texts(tmp_path, body))
    assert "| Standard | JIS G 4108 |" in text
    assert "- The first appendix\n- The second one" in text
    assert text.startswith("Steel\n")
    assert "Menu item" not in text
    assert "Copyright" not in text


def test_the_ends_of_a_page_are_kept(tmp_path: Path) -> None:
    start, end = (
        "<ul><li>oars</li><li>sails</li></ul>",
        "<h2>Steps</h2><ol><li>Lift.</li><li>Turn.</li></ol><p>Beds: 2</p>",
    )
    for body in (
        f"<main>{start}<p>{SENTENCE}</p>{end}</main>",
        f"<div>{start}<p>{SENTENCE * 3}</p></div><div>{end}</div>",
    ):
        made = texts(tmp_path, f"<nav>Home</nav>{body}<footer>Imprint</footer>")
        assert (made[0], made[2:]) == ("- oars\n- sails", ["Steps", "1. Lift.\n2. Turn.", "Beds: 2"])


def test_lists_of_links_beside_content_are_kept(tmp_path: Path) -> None:
    links = "<h2>Forms</h2><ul><li><a href=/a>Form A</a><li><a href=/b>Form B</a></ul>"
    made = texts(tmp_path, f"<div><a href=/>Start</a></div><div><p>{SENTENCE * 3}</p>{links}</div>")
    assert made[1:] == ["Forms", "- Form A\n- Form B"]


def test_asides_and_footers_of_the_content_are_kept(tmp_path: Path) -> None:
    aside = "<aside><p>Danger: live rail.</p></aside>"
    note = "<noscript><p>Fare table: 3 crowns.</p></noscript>"
    made = texts(
        tmp_path, f"<article><p>{SENTENCE}</p>{aside}<footer>Signed: Ann</footer></article><footer>Legal</footer>"
    )
    assert made[1:] == ["Danger: live rail.", "Signed: Ann"]
    made = texts(tmp_path, f"<p>{SENTENCE * 2}</p>{aside}{note}<noscript>Turn on JavaScript!</noscript>")
    assert made[1:] == ["Danger: live rail.", "Fare table: 3 crowns."]


def test_a_page_that_seems_to_be_mostly_boilerplate_is_kept(tmp_path: Path) -> None:
    menu = "".join(f"<p>{dish} with bread</p>" for dish in ("Soup", "Stew", "Fish"))
    made = texts(tmp_path, f"<div><p>{SENTENCE}</p></div><div class='lunch-menu'>{menu}</div>")
    assert made[1:] == ["Soup with bread", "Stew with bread", "Fish with bread"]
    made = texts(tmp_path, f"<div class='layout with-sidebar'><p>{SENTENCE * 3}</p><p>Dogs: no</p></div>")
    assert made[1:] == ["Dogs: no"]


@pytest.mark.parametrize(
    "body", ["<noscript>You need JavaScript.</noscript><div></div>", "<p>Loading…</p><footer>Imprint</footer>"]
)
def test_a_page_that_is_only_a_script_is_named(tmp_path: Path, body: str) -> None:
    with pytest.raises(UnreadableDocument, match="only a script that makes it"):
        blocks(tmp_path, f"{body}<script>render()</script>")


@pytest.mark.parametrize("tag", ["div", "b", "ul><li", "table><tr><td"])
def test_deep_nesting_is_unreadable(tmp_path: Path, tag: str) -> None:
    with pytest.raises(UnreadableDocument, match="nested too deeply"):
        blocks(tmp_path, f"<{tag}>a" * 50_000)


def test_xhtml_in_utf16_with_an_xml_declaration(tmp_path: Path) -> None:
    file = tmp_path / "a.xhtml"
    file.write_bytes('<?xml version="1.0" encoding="utf-16"?><html><body><p>Größe</p></body></html>'.encode("utf-16"))
    assert [block.text for block in load_document(file).blocks] == ["Größe"]


@pytest.mark.parametrize(
    ("title", "taken"), [("Untitled", "a"), ("10k_2021.htm", "a"), ("Annual report", "Annual report")]
)
def test_generated_titles_are_not_used(tmp_path: Path, title: str, taken: str) -> None:
    file = tmp_path / "a.html"
    file.write_text(f"<title>{title}</title><p>text</p>")
    assert load_document(file).title == taken


def test_a_table_after_the_article_is_kept_with_its_heading(tmp_path: Path) -> None:
    sentence = "The vectors of all passages are kept in one collection, which remembers its encoder. "
    rows = "".join(f"<tr><td>Part {n}</td><td>{n} euro</td></tr>" for n in range(3))
    page = (
        f"<html><body><article><h1>Manual</h1><p>{sentence * 4}</p></article><div><h2>Price list</h2>"
        f"<table><tr><th>part</th><th>price</th></tr>{rows}</table></div><footer>Imprint</footer></body></html>"
    )
    (tmp_path / "a.html").write_text(page)
    text = "\n".join(block.text for block in load_document(tmp_path / "a.html").blocks)
    assert "Price list\n| part | price |" in text
    assert "| Part 2 | 2 euro |" in text
    assert "Imprint" not in text
