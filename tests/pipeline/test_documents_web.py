"""Pages as programs make them: documentation, code with numbers of lines, wikis, forums, accordions and newsletters."""

from __future__ import annotations

from pathlib import Path

import pytest

from retriton_pipeline.documents import Block, load_document
from retriton_pipeline.errors import UnreadableDocument

TEXT = "<p>The keeper of the archive lists every map that was lent, with the day of its return.</p>"


def blocks(tmp_path: Path, body: str, head: str = "") -> list[Block]:
    file = tmp_path / "a.html"
    file.write_text(f"<html><head>{head}</head><body>{body}{TEXT}</body></html>", encoding="utf-8")
    return list(load_document(file).blocks)[:-1]


def texts(tmp_path: Path, body: str, head: str = "") -> list[str]:
    return [block.text for block in blocks(tmp_path, body, head)]


@pytest.mark.parametrize(
    "code",
    [
        "<pre><div class=line>if a:</div><div class=line>  b()</div></pre>",
        '<pre><span class="ln">1</span>if a:\n<span class="linenos"> 2</span>  b()\n</pre>',
        "<pre><span>if a:</span><br><span>  b()</span><button>Copy</button></pre>",
        "<table><tr><td class=gutter><pre>1<br>2</pre><td class=code><pre>if a:<br>  b()</pre></table>",
        '<div class="fragment"><div><span class="lineno">1</span>if a:</div><div>  b()</div></div>',
    ],
)
def test_lines_of_code_are_apart_and_have_no_numbers(tmp_path: Path, code: str) -> None:
    assert texts(tmp_path, code) == ["```\nif a:\n  b()\n```"]


def test_code_below_the_name_of_its_file(tmp_path: Path) -> None:
    head = '<tr><th colspan=2 class="filename"><span>run.sh</span></th></tr>'
    table = f"<table>{head}<tr><td class=linenos><pre>1</pre></td><td class=code><pre>ls\n</pre></td></tr></table>"
    assert texts(tmp_path, table) == ["run.sh", "```\nls\n```"]


def test_hidden_rows_are_no_part_of_a_table_and_its_head_is_first(tmp_path: Path) -> None:
    rows = "<tr><td>oak<td>4</tr><tr hidden><td>ash<td>5</tr><tbody style='display:none'><tr><td>elm<td>6</tbody>"
    table = f"<table>{rows}<thead><tr><th>tree<th>m</thead></table>"
    assert texts(tmp_path, table) == ["| tree | m |\n|---|---|\n| oak | 4 |"]


def test_tables_that_lay_out_paragraphs_are_no_tables(tmp_path: Path) -> None:
    row = "<table><tr><td><p>Left.</p><p>More.</p></td><td><h2>Right</h2><p>Text.</p></td></tr></table>"
    offers = "<table role=presentation><tr><td>Oak<br>4 m<td>Ash<br>5 m<tr><td>Elm<td>Fir</table>"
    assert texts(tmp_path, row + offers) == ["Left.", "More.", "Right", "Text.", "Oak\n4 m", "Ash\n5 m", "Elm", "Fir"]


def test_a_title_that_links_to_the_page_is_kept(tmp_path: Path) -> None:
    heading = '<div><h1><a href="/lent">How are maps lent?</a></h1></div>'
    assert texts(tmp_path, f"{heading}<div class=text><p>{'They are lent to members. ' * 4}</p></div>")[0] == (
        "How are maps lent?"
    )


def test_a_role_makes_a_heading(tmp_path: Path) -> None:
    found = blocks(tmp_path, '<div role="heading" aria-level="3">Loans</div><p>Two weeks.</p>')
    assert [(block.text, block.heading_level) for block in found] == [("Loans", 3), ("Two weeks.", 0)]


def test_titles_of_drawings_are_no_title_of_the_page(tmp_path: Path) -> None:
    file = tmp_path / "map.html"
    file.write_text(f"<body><svg><title>icon</title></svg><h1>Maps</h1>{TEXT}</body>")
    assert load_document(file).title == "Maps"


@pytest.mark.parametrize(
    "style", ["body{visibility:hidden;animation:-amp-start 8s}", "html{opacity:0}", "body{display:none}"]
)
def test_a_page_that_is_hidden_until_it_is_loaded_is_read(tmp_path: Path, style: str) -> None:
    assert texts(tmp_path, "<p>Maps are lent.</p>", f"<style>{style}</style>") == ["Maps are lent."]


@pytest.mark.parametrize(
    "style",
    [
        "position:absolute;clip-path:inset(50%)",
        "height:0;overflow:hidden",
        "text-indent:-9999px",
        "color:#fff;background:#fff",
        "transform:scale(0)",
        "content-visibility:hidden",
        "font-size:1px",
    ],
)
def test_further_ways_to_hide_text(tmp_path: Path, style: str) -> None:
    assert texts(tmp_path, f'<p style="{style}">Not seen.</p><p>Seen.</p>') == ["Seen."]


@pytest.mark.parametrize(
    "style",
    [
        "height:0;overflow:hidden;padding-bottom:56%",  # the frame of a film
        "max-width:0;overflow:hidden",  # a cell that is as wide as its column
        "color:#auto;background-color:#auto",  # invalid
        "color:#fff;background:#000",
    ],
)
def test_styles_that_hide_nothing(tmp_path: Path, style: str) -> None:
    assert texts(tmp_path, f'<p style="{style}">Seen.</p>') == ["Seen."]


@pytest.mark.parametrize(
    "body",
    [
        "<ul><li><a href='#a'>Question</a></li></ul><div id=a class=hid>Answer.</div>",
        "<a class=toggle-title href='#a'>Question</a><div><div id=a class=hid>Answer.</div></div>",
        "<div class=acc-head>Question</div><div class='acc-body hid'>Answer.</div>",
        "<div>Question</div><div class='toggle-content hid'>Answer.</div>",
        "<dl><dt>Question<dd class=hid>Answer.</dl>",
    ],
)
def test_panels_that_readers_open_are_read(tmp_path: Path, body: str) -> None:
    head = "<style>.hid{display:none}</style><script>open()</script>"
    assert [text.removeprefix("- ") for text in texts(tmp_path, body, head)] == ["Question", "Answer."]


def test_links_that_only_navigate_in_a_wiki_are_not_read(tmp_path: Path) -> None:
    jump = "<a class='mw-jump-link' href='#content'>Jump to content</a><a class=skip-link href=#m>Skip</a>"
    back = "<ol><li><span class=mw-cite-backlink>^ <a href='#r'><sup>a</sup></a></span> <span>Lee 2001.</span></ol>"
    assert texts(tmp_path, f"{jump}<p>Maps.</p>{back}") == ["Maps.", "1. Lee 2001."]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("12 m<sup>2</sup>", "12 m^2"),
        ("<i>s</i><sup>−1</sup>", "s^−1"),
        ("the 1<sup>st</sup> of May", "the 1st of May"),
        ("Retri<sup>TM</sup>", "Retri™"),
        ("2<sup>n − 1</sup> and 2<sup>(n)</sup>", "2^(n − 1) and 2^(n)"),
        ("<a>5</a><sup></sup>, 7<sup>®</sup>", "5, 7®"),
        ("<a href=a>maps</a><a href=b>loans</a>", "maps loans"),
        ('<a href=a>maps</a><a href=b>"</a>', 'maps"'),
        ("<meter>60 %</meter><output>42</output>", "60 % 42"),
        ("so <script type=math/tex>a^2</script> holds", "so a^2 holds"),
    ],
)
def test_text_within_a_line(tmp_path: Path, html: str, text: str) -> None:
    assert texts(tmp_path, f"<p>See {html} now.</p>") == [f"See {text} now."]


@pytest.mark.parametrize(
    ("style", "markers"),
    [
        ("ol.x{list-style-type:lower-alpha}", "a. b."),
        ("ol ol{list-style:upper-roman inside}", "1. 2."),
        ("ol{list-style:none}", "- -"),
    ],
)
def test_style_sheets_number_lists(tmp_path: Path, style: str, markers: str) -> None:
    [block] = blocks(tmp_path, "<ol class=x><li>oak<li>ash</ol>", f"<style>{style}</style>")
    assert " ".join(line.split()[0] for line in block.text.split("\n")) == markers


def test_the_style_of_a_list_is_stronger_than_its_type(tmp_path: Path) -> None:
    lists = (
        '<ol type=a style="list-style: none"><li>(1) oak</ol><ol type=i style="LIST-STYLE-TYPE: decimal"><li>ash</ol>'
    )
    assert texts(tmp_path, lists) == ["- (1) oak", "1. ash"]


def test_a_page_of_frames_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<frameset><frame src=b.html><noframes><p>No frames.</p></noframes></frameset>")
    with pytest.raises(UnreadableDocument, match="frames"):
        load_document(tmp_path / "a.html")


def test_a_button_is_a_heading_only_if_it_is_the_whole(tmp_path: Path) -> None:
    headings = (
        "<h2>Maps <button>Copy path</button></h2><h3>1. <button>Who lends?</button></h3><h4><button>Fees</button></h4>"
    )
    assert texts(tmp_path, headings) == ["Maps", "1. Who lends?", "Fees"]


def test_line_breaks_that_a_style_or_an_older_element_keeps(tmp_path: Path) -> None:
    wrapped = '<div style="white-space:pre-wrap">Maps:\n  sea\n  land</div><p>Not\nhere.</p><textarea>a\nb</textarea>'
    assert texts(tmp_path, f"{wrapped}<xmp><b>c\n d</b></xmp>") == [
        "Maps:\nsea\nland", "Not here.", "a\nb", "```\n<b>c\n d</b>\n```"
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["id=onetrust-consent-sdk", "class='cookie-banner open'", "id=CybotCookiebotDialog"])
def test_banners_that_ask_for_consent_are_not_read(tmp_path: Path, name: str) -> None:
    page = "<article class='tag-cookie-banner'><p>A cookie is small.</p></article>"
    banner = f"<div {name}><h2>Your privacy</h2><p>We and our partners store cookies on your device.</p></div>"
    assert texts(tmp_path, page + banner) == ["A cookie is small."]


def test_what_a_book_shows_on_request_is_not_read(tmp_path: Path) -> None:
    help_box = "<div id=mdbook-help-container><h2>Keyboard shortcuts</h2></div>"
    code = '<pre><code><span class="boring">fn main() {\n</span>let a = 1;\n<span class="boring">}</span></code></pre>'
    assert texts(tmp_path, help_box + code) == ["```\nlet a = 1;\n```"]
