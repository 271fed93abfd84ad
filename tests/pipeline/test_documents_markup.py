"""What Markdown, LaTeX, Org, AsciiDoc, XML, notebooks, subtitles and ODT show besides their paragraphs."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from retriton_pipeline.documents import load_document
from tests.hostile import archives
from tests.reading import texts


def test_notes_of_one_word_in_markdown_are_no_links(tmp_path: Path) -> None:
    assert texts(tmp_path, "a.md", "A map[^1].\n\n[^1]: Lent.\n\n[b]: https://example.org\n") == [
        "A map[^1].", "[^1]: Lent."
    ]  # fmt: skip
    assert texts(tmp_path, "a.md", "A map.\n\n[b]: https://example.org\n") == ["A map."]


def test_html_in_markdown_is_read_as_shown(tmp_path: Path) -> None:
    table = "<table><tr><th>Map</th><th>Days</th></tr><tr><td>sea</td><td>4</td></tr></table>"
    details = "<details>\n<summary>More</summary>\n\nIn *detail*.\n\n</details>"
    assert texts(tmp_path, "a.md", f"{table}\n\n<div hidden>unseen</div>\n\n{details}\n") == [
        "| Map | Days |\n|---|---|\n| sea | 4 |", "More", "In *detail*."
    ]  # fmt: skip
    assert texts(tmp_path, "a.mdx", '<Card title="Maps" />\n\n<p>{count} maps</p>\n') == [
        "Maps", "<p>{count} maps</p>"
    ]  # fmt: skip


def test_latex_lists_have_numbers_and_links_and_rows_their_text(tmp_path: Path) -> None:
    body = (
        "\\iffalse unseen \\fi Seen \\href{https://example.org}{the list}."
        "\\begin{enumerate}\\item One\\begin{itemize}\\item deep\\end{itemize}\\item[x] Own\\item Two\\end{enumerate}"
        "\\begin{tabular}{ll}Map & Days\\\\ \\multirow{2}{*}{sea} & 4\\\\ & 5\\end{tabular}"
        "\\begin{thebibliography}{9}\\bibitem{a} A book.\\end{thebibliography}"
    )
    assert texts(tmp_path, "a.tex", f"\\begin{{document}}{body}\\end{{document}} after") == [
        "Seen the list.",
        "1. One\n  - deep\n- x Own\n2. Two",
        "| Map | Days |\n|---|---|\n| sea | 4 |\n| sea | 5 |",
        "[1] A book.",
    ]


def test_latex_slides_have_headings(tmp_path: Path) -> None:
    body = "\\begin{frame}{Maps}Lent.\\end{frame}\\begin{frame}[t]\\frametitle{Charts}Back.\\end{frame}"
    (tmp_path / "a.tex").write_text(f"\\documentclass{{beamer}}\\begin{{document}}{body}\\end{{document}}")
    assert [(block.text, bool(block.heading_level)) for block in load_document(tmp_path / "a.tex").blocks] == [
        ("Maps", True), ("Lent.", False), ("Charts", True), ("Back.", False)
    ]  # fmt: skip


def test_headlines_of_org_that_are_comments_are_skipped_with_what_is_below(tmp_path: Path) -> None:
    text = "* Maps\nLent.\n* COMMENT Draft\nunseen\n** Below\nunseen\n* COMMENTS\nRead.\n"
    assert texts(tmp_path, "a.org", text) == ["Maps", "Lent.", "COMMENTS", "Read."]


def test_footnotes_of_asciidoc_are_in_brackets(tmp_path: Path) -> None:
    assert texts(tmp_path, "a.adoc", "A map.footnote:[Lent.] A chart.footnote:x[Back.]\n") == [
        "A map. (Lent.) A chart. (Back.)"
    ]


def test_tables_and_escaped_html_in_xml(tmp_path: Path) -> None:
    rows = "<tgroup><thead><row><entry>Map</entry><entry>Days</entry></row></thead>"
    rows += "<tbody><row><entry>sea</entry><entry><emphasis>4</emphasis></entry></row></tbody></tgroup>"
    assert texts(tmp_path, "a.xml", f"<a><para>Before.</para><table>{rows}</table><para>After.</para></a>") == [
        "Before.", "| Map | Days |\n|---|---|\n| sea | 4 |", "After."
    ]  # fmt: skip
    assert texts(
        tmp_path, "a.xml", "<rss><description>&lt;p&gt;A &lt;b&gt;map&lt;/b&gt;.&lt;/p&gt;</description></rss>"
    ) == ["A map."]


def test_outputs_of_notebooks_without_plain_text(tmp_path: Path) -> None:
    outputs = [
        {"output_type": "display_data", "data": {"text/html": ["<p>A <b>map</b></p>"]}},
        {"output_type": "display_data", "data": {"text/markdown": "## Charts"}},
        {"output_type": "stream", "text": "\x1b[31mred\x1b[0m"},
        {"output_type": "execute_result", "data": {"text/plain": "plain", "text/html": "<p>other</p>"}},
    ]
    cell = {"cell_type": "code", "source": "show()", "outputs": outputs}
    assert texts(tmp_path, "a.ipynb", json.dumps({"cells": [cell]})) == ["show()", "red\nplain", "A map", "Charts"]


def test_subtitles_have_no_references_to_characters(tmp_path: Path) -> None:
    vtt = "WEBVTT\n\n00:01.000 --> 00:03.000\nMaps &amp; charts, 4 &lt; 5\n"
    assert texts(tmp_path, "a.vtt", vtt) == ["[00:00:01] Maps & charts, 4 < 5"]


def test_formulas_of_an_odt_are_read_and_descriptions_of_drawings_are_not(tmp_path: Path) -> None:
    frame = (
        '<d:frame xmlns:d="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" xmlns:s="s" xmlns:l="l">'
        '<d:object l:href="./Object 1"/><s:desc>unseen</s:desc></d:frame>'
    )
    math = '<math xmlns="http://www.w3.org/1998/Math/MathML"><semantics><msup><mi>c</mi><mn>2</mn></msup></semantics></math>'
    members = {"Object 1__content_xml": math}
    raw = archives.odt(f"<text:p>It is {frame} here.</text:p>", **members)
    assert texts(tmp_path, "a.odt", raw) == ["It is c^2 here."]


def test_latex_prints_units_and_verbatim_text(tmp_path: Path) -> None:
    body = (
        r"A \SI{12}{\milli\metre} bolt, \qty{9.81}{\metre\per\second\squared} and \qty[mode=text]{5}{\percent} of"
        r" \num{1200}, \qty{3}{\newton\metre}, \unit{kg}, \ang{45}, \qtyrange{1}{2}{\kilo\watt}: \verb|a_b & 50%| end."
    )
    assert texts(tmp_path, "a.tex", f"\\begin{{document}}{body}\\end{{document}}") == [
        "A 12 mm bolt, 9.81 m/s² and 5 % of 1200, 3 N·m, kg, 45°, 1 to 2 kW: a_b & 50% end."
    ]


def test_columns_that_an_asciidoc_table_states_are_kept(tmp_path: Path) -> None:
    cells = "|Part\n|Mass\n\n|Bolt\n|3 g\n"
    table = "| Part | Mass |\n|---|---|\n| Bolt | 3 g |"
    for attributes in ('[%header,cols="1,2"]', "[cols=2*]", '[cols="2*<",options="header"]\n.Parts'):
        assert texts(tmp_path, "a.adoc", f"{attributes}\n|===\n{cells}|===\n")[-1] == table


def test_words_of_different_elements_in_xml_are_separated(tmp_path: Path) -> None:
    xml = "<doc><sec>Use the <!-- x --><b>b</b>olt: <part>M8</part><part>M10</part>only.</sec></doc>"
    assert texts(tmp_path, "a.xml", xml) == ["sec: Use the bolt: M8 M10 only."]


def test_xml_records_that_consist_of_attributes_are_read(tmp_path: Path) -> None:
    xml = '<parts><part name="Bolt" mm="12"/><part name="Nut" mm="8"/></parts>'
    assert texts(tmp_path, "a.xml", xml) == ["name: Bolt\nmm: 12\nname: Nut\nmm: 8"]


def test_subtitles_have_no_times_of_words(tmp_path: Path) -> None:
    cue = "00:01.000 --> 00:02.000\n<v Ann>Open <c.red>the</c> <00:01.500>valve\n"
    assert texts(tmp_path, "a.vtt", f"WEBVTT\n\n{cue}") == ["[00:00:01] Ann: Open the valve"]


def test_comments_and_code_of_modules_in_mdx_are_skipped(tmp_path: Path) -> None:
    page = (
        'import { Tabs } from "x"\nexport const year = 2030\n\n# Pump\n\n{/* later\n\nmore */}\n\n'
        "Press `{/* so */}`.\n\nexport the data first.\n\n```jsx\n{/* kept */}\n```\n"
    )
    shown = ["Pump", "Press `{/* so */}`.", "export the data first.", "```jsx\n{/* kept */}\n```"]
    assert texts(tmp_path, "a.mdx", page) == shown


def test_cells_of_asciidoc_that_span_columns_do_not_move_others(tmp_path: Path) -> None:
    table = '[cols="1,1"]\n|===\n|Part\n|Mass\n\n2+|Small\n\n|Bolt\n|3 g\n|==='
    assert "| Small |  |\n| Bolt | 3 g |" in texts(tmp_path, "a.adoc", table)[-1]


def test_latex_boxes_and_captions_are_read_and_names_of_pictures_are_not(tmp_path: Path) -> None:
    figure = r"\begin{figure}\includegraphics[width=3cm]{pump}\caption[Short]{The pump}\end{figure}"
    body = rf"\begin{{document}}Use \mbox{{part 7}} and \lstinline|open()|. {figure}\end{{document}}"
    assert texts(tmp_path, "a.tex", body) == ["Use part 7 and open().", "The pump"]


def test_attributes_of_xml_elements_that_contain_others_are_read(tmp_path: Path) -> None:
    xml = (
        '<shop xmlns:l="http://www.w3.org/1999/xlink" version="1.2" made="2030-03-02">'
        '<product sku="AB-1" id="77" status="discontinued" width="30"><kind>Pump</kind></product>'
        '<part name="Bolt" mm="12" uuid="1b4e28ba-2fa1-11d2-883f-0016d3cca427"><hint>Use oil.</hint></part>'
        '<sec sec-type="methods" style="a b" title="Ways"><p rend="bold" id="p1">Text.</p></sec>'
        '<chart l:title="A heron" l:href="x.png"><p>See it.</p></chart></shop>'
    )
    assert texts(tmp_path, "a.xml", xml) == [
        "made: 2030-03-02", "sku: AB-1\nstatus: discontinued\nkind: Pump", "name: Bolt\nmm: 12\nhint: Use oil.",
        "title: Ways", "Text.", "title: A heron", "See it.",
    ]  # fmt: skip


def test_long_values_of_attributes_are_text_unless_they_are_codes(tmp_path: Path) -> None:
    xml = (
        '<mime type="application/x-3ds-rom" sum="1b4e28ba-2fa1-11d2-883f-0016d3cca427" style="a: b c">'
        "<alias>rom</alias></mime>"
    )
    assert texts(tmp_path, "a.xml", xml) == ["type: application/x-3ds-rom\nalias: rom"]


def test_fields_of_xml_have_the_names_and_units_of_their_attributes(tmp_path: Path) -> None:
    xml = '<doc><field name="Colour">red</field><item name="saw">sharp</item><price currency="EUR">12</price></doc>'
    assert texts(tmp_path, "a.xml", xml) == ["Colour: red", "saw: sharp\nprice: 12 EUR"]


def test_html_in_attributes_of_xml_is_text_and_drawings_have_none(tmp_path: Path) -> None:
    xml = (
        '<rows><row Title="How?" Body="&lt;p&gt;Use &lt;b&gt;oil&lt;/b&gt;.&lt;/p&gt;"/>'
        '<svg xmlns="http://www.w3.org/2000/svg"><path d="M 10 10 L 20 20" style="fill: red"/></svg></rows>'
    )
    assert texts(tmp_path, "a.xml", xml) == ["Title: How?\nBody: Use oil."]


def test_punctuation_after_elements_of_xml_has_no_space_before_it(tmp_path: Path) -> None:
    text = "Open the <control>drain</control>, then (<part>M8</part>) <part>M9</part><part>M10</part>."
    assert texts(tmp_path, "a.xml", f"<doc><cmd>{text}</cmd></doc>") == ["cmd: Open the drain, then (M8) M9 M10."]


def test_places_in_drawings_of_xml_are_no_text(tmp_path: Path) -> None:
    xml = '<root><cell value="&lt;b&gt;Start&lt;/b&gt; pump" style="a;b"/><geometry x="1" y="2" width="3"/></root>'
    assert texts(tmp_path, "a.xml", xml) == ["value: Start pump"]


def test_latex_boxes_and_environments_keep_their_text_and_tables(tmp_path: Path) -> None:
    body = (
        r"\begin{table}[htbp]\centering\resizebox{\textwidth}{!}{\begin{tabular}{cc}A & B\\ 1 & 2\end{tabular}}"
        r"\caption{Sizes}\end{table}\begin{wrapfigure}[9]{r}{0.5\textwidth}\caption{Pump}\end{wrapfigure}"
        r"\begin{minipage}[t]{4cm}{\bf Mini}\end{minipage}\begin{theorem}[Fermat]None.\end{theorem}"
        r"\begin{tcolorbox}[title=A]Box, see \S 3.\end{tcolorbox}\begin{multicols}{2}Two.\end{multicols}"
    )
    assert texts(tmp_path, "a.tex", rf"\begin{{document}}{body}\end{{document}}") == [
        "| A | B |\n|---|---|\n| 1 | 2 |", "Sizes", "Pump", "Mini", "Theorem (Fermat). None.", "A. Box, see § 3.",
        "Two.",
    ]  # fmt: skip


def test_keys_formulas_and_sources_of_quotations_in_asciidoc(tmp_path: Path) -> None:
    text = (
        "Press kbd:[Ctrl+C], menu:File[Save As], stem:[x^2].\n\n[quote,Ann Lee]\n____\nWise.\n____\n\n'''\n\n"
        "== [[a]]Part\n\nend +\nnext\n"
    )
    assert texts(tmp_path, "a.adoc", text) == [
        "Press Ctrl+C, File > Save As, x^2.", "Wise.", "— Ann Lee", "Part", "end\nnext"
    ]  # fmt: skip


def test_captions_of_org_are_read(tmp_path: Path) -> None:
    text = "#+CAPTION: Sizes\n#+NAME: x\n| A | B |\n|---+---|\n| 1 | 2 |\n"
    assert texts(tmp_path, "a.org", text) == ["Sizes", "| A | B |\n|---|---|\n| 1 | 2 |"]


@pytest.mark.parametrize(
    ("xml", "shown"),
    [
        ("<orderedlist><listitem><para>Oak</para><para>tall</para></listitem><listitem><para>Ash</para></listitem>"
         "</orderedlist>", ["1. Oak", "tall", "2. Ash"]),
        ("<list list-type='alpha-lower'><list-item><p>Oak</p></list-item><list-item><p>Ash</p></list-item></list>",
         ["a. Oak", "b. Ash"]),
        ("<ol><li>Oak<ul><li>tall</li></ul></li><li>Ash</li></ol>", ["1. Oak tall", "2. Ash"]),
        ("<itemizedlist><listitem><simpara>Oak</simpara></listitem></itemizedlist>", ["- Oak"]),
        ("<items><item>Oak</item><item>Ash</item></items>", ["Oak", "Ash"]),
    ],
)  # fmt: skip
def test_items_of_lists_in_xml_have_numbers(tmp_path: Path, xml: str, shown: list[str]) -> None:
    assert texts(tmp_path, "a.xml", f"<doc>{xml}</doc>") == shown


def test_exponents_line_breaks_and_marked_fields_in_xml(tmp_path: Path) -> None:
    xml = "<doc><p>10<sup>3</sup> m<br/>or H<sub>2</sub>O</p><string name='hello'>Hello <b>you</b></string></doc>"
    assert texts(tmp_path, "a.xml", xml) == ["10^3 m or H2O", "hello: Hello you"]


def test_property_lists_have_names_and_values(tmp_path: Path) -> None:
    values = "<key>Name</key><string>Pump</string><key>On</key><true/><key>Icon</key><data>QUJD</data>"
    tags = "<key>Tags</key><array><string>a</string><string>b</string></array>"
    plist = f"<plist version='1.0'><dict>{values}{tags}</dict></plist>"
    assert texts(tmp_path, "a.plist", plist) == ["Name: Pump", "On: True", "Tags: a, b"]


def test_subtitles_with_styles_and_layers(tmp_path: Path) -> None:
    lines = [
        "Dialogue: 0,0:00:09.00,0:00:10.00,Default,Ann,0,0,0,,Then it\\Nstops.",
        "Dialogue: 1,0:00:01.00,0:00:03.00,Sign,,0,0,0,,{\\pos(1,2)}{\\i1}The pump{\\i0} runs.",
        "Dialogue: 1,0:00:01.00,0:00:03.00,Sign,,0,0,0,,{\\p1}m 0 0 l 9 9{\\p0}",
        "Comment: 0,0:00:01.00,0:00:03.00,Default,,0,0,0,,not shown",
    ]
    head = "[Script Info]\nTitle: x\n\n[Events]\n"
    assert texts(tmp_path, "a.ass", head + "\n".join(lines)) == [
        "[00:00:01] The pump runs.",
        "[00:00:09] Then it stops.",
    ]


def test_codes_of_characters_in_properties_are_characters(tmp_path: Path) -> None:
    [text] = texts(tmp_path, "a.properties", "# why\nhello=Gr\\u00fc\\u00dfe \\ud83d\\ude00\npath=C:\\\\u00fc\n")
    assert text == "# why\nhello=Grüße 😀\npath=C:\\\\u00fc"


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("Press <kbd>Ctrl</kbd>&nbsp;+ <b class='x'>C</b>&hellip;", "Press Ctrl + C…"),
        ("10<sup>3</sup> m, a<sub>1</sub> <img src='a.png' alt=map>", "10^3 m, a1"),
        ("One<br/>\nTwo<br>Three", "One\nTwo\nThree"),
        ("Type `<b>&amp;</b>` and ``<kbd>``, or \\<i\\>", "Type `<b>&amp;</b>` and ``<kbd>``, or \\<i\\>"),
        ("Compare a<b and c>d, List<u>, &notareference;", "Compare a<b and c>d, List<u>, &notareference;"),
        ("| a<br>b | c&#124;d |\n|---|---|\n| <i>e</i> | `<i>` |", "| a b | c\\|d |\n|---|---|\n| e | `<i>` |"),
        ("- <span>one</span>\n  ```\n  <b>&lt;</b>\n  ```", "- one\n  ```\n  <b>&lt;</b>\n  ```"),
        ("# Loans <a name='loans'></a> {#loans}", "Loans"),
        ("## `{a}` {a}", "`{a}` {a}"),
    ],
)
def test_lines_of_markdown_are_read_as_shown(tmp_path: Path, markdown: str, text: str) -> None:
    assert texts(tmp_path, "a.md", markdown) == [text]


def test_components_of_mdx_are_read_without_their_tags(tmp_path: Path) -> None:
    tabs = '<Tabs items={["a"]}>\n  <TabItem value="win" label="Windows">\n\n    Use `<Card>`.\n\n  </TabItem>\n</Tabs>'
    card = "<Card title='Maps' icon={<Icon/>}>Lend a map</Card>\n\n<Note>\nTwo *weeks*.\n</Note>\n\n"
    link = "<>\n\nSee <Link to='/x'>here</Link>.\n\n</>"
    code = "```jsx\n<Card title='x' />\n```"
    assert texts(tmp_path, "a.mdx", f"{tabs}\n\n{card}{link}\n\n{code}\n") == [
        "Windows", "Use `<Card>`.", "Maps", "Lend a map", "Two *weeks*.", "See here.", code
    ]  # fmt: skip


def test_lists_of_front_matter_can_have_quoted_commas(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("---\ntags: [a, \"b, c\", 'd']\n---\nText.\n")
    assert load_document(tmp_path / "a.md").metadata["tags"] == "a, b, c, d"


def test_labels_captions_and_letters_of_lists_in_restructured_text(tmp_path: Path) -> None:
    rst = (
        ".. deprecated:: 2.0\n   Use ``lend``.\n\n.. versionadded:: 3.1\n\n   Maps.\n\n.. seealso:: The *list*.\n\n"
        ".. code-block:: sh\n   :caption: run.sh\n\n   lend map\n\na) oak\nb) ash\n"
    )
    assert texts(tmp_path, "a.rst", rst) == [
        "Deprecated since version 2.0: Use lend.", "New in version 3.1", "Maps.", "See also: The list.", "run.sh",
        "```\nlend map\n```", "a. oak\nb. ash",
    ]  # fmt: skip


def test_lists_of_asciidoc_have_numbers(tmp_path: Path) -> None:
    lists = ". oak\n.. tall\n.. old\n* leaves\n. ash\n+\n----\ncode\n----\n. elm\n\nText.\n\n. fir\n\n== Next\n\n. yew"
    assert texts(tmp_path, "a.adoc", lists) == [
        "1. oak\n  a. tall\n  b. old\n    - leaves\n2. ash", "code", "3. elm", "Text.", "1. fir", "Next", "1. yew"
    ]  # fmt: skip


def test_admonitions_and_references_of_asciidoc(tmp_path: Path) -> None:
    boxes = "[WARNING]\n.Heat\n====\nHot.\n====\n\n[NOTE]\nSee <<_the_map>> and <<fees,the fees>>."
    assert texts(tmp_path, "a.adoc", boxes) == ["Heat", "WARNING:", "Hot.", "NOTE:\nSee the map and the fees."]


def test_results_of_org_have_no_marks(tmp_path: Path) -> None:
    assert texts(tmp_path, "a.org", "#+RESULTS:\n: 42\n:\n: 43\n\na : b\n") == ["42", "43", "a : b"]


def test_citations_of_latex_have_the_numbers_of_their_references(tmp_path: Path) -> None:
    items = "\\bibitem{lee} Lee.\n\\bibitem[Ray 01]{ray}Ray."
    body = f"See \\cite[p. 3]{{ray}}, \\cite{{lee,ray}} and \\cite{{other}}.\n\n\\begin{{thebibliography}}{{9}}{items}"
    assert texts(tmp_path, "a.tex", f"\\begin{{document}}{body}\\end{{thebibliography}}\\end{{document}}") == [
        "See [2, p. 3], [1, 2] and.", "[1] Lee.", "[2] Ray."
    ]  # fmt: skip


def test_many_spaces_in_org_take_no_longer_than_other_text(tmp_path: Path) -> None:
    start = time.process_time()
    _, text = texts(tmp_path, "a.org", f"* Loans\nThe map{' ' * 100_000}is lent.")
    assert text.split() == ["The", "map", "is", "lent."]
    assert time.process_time() - start < 3  # tens of seconds with all of them
