"""Formulas, charts, emoji, WordArt and letters of symbol fonts in a DOCX."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.test_documents_docx import NAMES, OFFICE, SCHEMAS, paragraph, run
from tests.pipeline.test_documents_docx_parts import MATH, docx, texts

EXTENDED = "http://schemas.microsoft.com/office/drawing/2014/chartex"


def letters(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


STACK = f'<m:f><m:fPr><m:type m:val="noBar"/></m:fPr><m:num>{letters("n")}</m:num><m:den>{letters("k")}</m:den></m:f>'


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (f"<m:d><m:dPr/><m:e>{STACK}</m:e></m:d>", "binom(n, k)"),
        (f'<m:d><m:dPr><m:begChr m:val="{{"/><m:endChr m:val="}}"/></m:dPr><m:e>{STACK}</m:e></m:d>', "{n; k}"),
        (
            f'<m:d><m:e><m:d><m:dPr><m:begChr m:val="["/><m:endChr m:val="]"/></m:dPr><m:e>{letters("a")}</m:e></m:d>'
            f"</m:e><m:e>{letters('b')}</m:e></m:d>",
            "([a]|b)",
        ),
        (f"<m:acc><m:e>{letters('x')}</m:e></m:acc>", "x\u0302"),
        (f'<m:bar><m:barPr><m:pos m:val="top"/></m:barPr><m:e>{letters("ab+c")}</m:e></m:bar>', "(ab+c)\u0305"),
        (f'<m:phant><m:phantPr><m:show m:val="0"/></m:phantPr><m:e>{letters("z")}</m:e></m:phant>', ""),
        (f"<m:sSup><m:e>{letters('x')}</m:e><m:sup>{letters('k')}</m:sup></m:sSup>{letters('a')}", "x^k a"),
        (
            f'<m:nary><m:naryPr><m:chr m:val="∑"/></m:naryPr><m:sub>{letters("i")}</m:sub><m:sup>{letters("n")}</m:sup>'
            f"<m:e>{letters('i')}</m:e></m:nary>",
            "∑_i^n i",
        ),
    ],
)
def test_formulas(tmp_path: Path, formula: str, text: str) -> None:
    raw = docx(paragraph(run("So "), f"<m:oMath {MATH}>{formula}</m:oMath>", run(" holds.")))
    assert texts(tmp_path, raw) == [" ".join(f"So {text} holds.".split())]


def test_formulas_of_a_paragraph_are_on_lines_of_their_own(tmp_path: Path) -> None:
    formulas = "".join(f"<m:oMath>{letters(text)}</m:oMath>" for text in ("x=1", "y=2"))
    raw = docx(f"<w:p><m:oMathPara>{formulas}</m:oMathPara></w:p>")
    assert texts(tmp_path, raw) == ["x=1\ny=2"]


def chart(kind: str, content: str) -> bytes:
    drawing = (
        f'<mc:AlternateContent><mc:Choice Requires="x"><w:drawing>{content}</w:drawing></mc:Choice>'
        "<mc:Fallback><w:drawing/></mc:Fallback></mc:AlternateContent>"
    )
    relation = f'<Relationship Id="x" Type="{OFFICE}/chart" Target="chart.xml"/>'
    return docx(paragraph(run("Before"), f"<w:r>{drawing}</w:r>"), relation, chart_xml=kind)


def test_titles_of_axes(tmp_path: Path) -> None:
    def title(text: str) -> str:
        return f"<c:title><c:tx><c:rich><a:p><a:r><a:t>{text}</a:t></a:r></a:p></c:rich></c:tx></c:title>"

    part = (
        f"<c:chartSpace {NAMES}><c:chart>{title('Rent')}<c:plotArea><c:barChart><c:ser><c:tx><c:v>East</c:v></c:tx>"
        '<c:cat><c:strLit><c:pt idx="0"><c:v>Q1</c:v></c:pt></c:strLit></c:cat><c:val><c:numLit><c:pt idx="0">'
        f"<c:v>5</c:v></c:pt></c:numLit></c:val></c:ser></c:barChart><c:valAx>{title('EUR million')}</c:valAx>"
        "</c:plotArea></c:chart></c:chartSpace>"
    )
    assert texts(tmp_path, chart(part, '<c:chart r:id="x"/>')) == [
        "Before", "Rent\nEUR million", "|  | East |\n|---|---|\n| Q1 | 5 |",
    ]  # fmt: skip


def test_charts_of_newer_kinds(tmp_path: Path) -> None:
    names = '<x:pt idx="0">Start</x:pt><x:pt idx="1">End</x:pt>'
    values = '<x:pt idx="0">1</x:pt><x:pt idx="1">0.8</x:pt>'
    part = (
        f'<x:chartSpace xmlns:x="{EXTENDED}"><x:chartData><x:data id="0"><x:strDim type="cat"><x:lvl>{names}</x:lvl>'
        f'</x:strDim><x:numDim type="val"><x:lvl formatCode="0%">{values}</x:lvl></x:numDim></x:data></x:chartData>'
        "<x:chart><x:title><x:tx><x:txData><x:v>Bridge</x:v></x:txData></x:tx></x:title><x:plotArea><x:series><x:tx>"
        '<x:txData><x:v>Cash</x:v></x:txData></x:tx><x:dataId val="0"/></x:series></x:plotArea></x:chart>'
        "</x:chartSpace>"
    )
    assert texts(tmp_path, chart(part, f'<x:chart xmlns:x="{EXTENDED}" r:id="x"/>')) == [
        "Before", "Bridge", "|  | Cash |\n|---|---|\n| Start | 100% |\n| End | 80% |",
    ]  # fmt: skip


def test_emoji_are_read_in_the_form_that_is_text(tmp_path: Path) -> None:
    emoji = (
        '<w:r><mc:AlternateContent><mc:Choice Requires="w16se"><w14:symEx w14:char="1F60A"/></mc:Choice>'
        "<mc:Fallback><w:t>😊</w:t></mc:Fallback></mc:AlternateContent></w:r>"
    )
    assert texts(tmp_path, docx(paragraph(run("Done "), emoji, run(" now")))) == ["Done 😊 now"]


def test_hidden_drawings_are_not_read_and_word_art_is(tmp_path: Path) -> None:
    box = f"<wps:txbx><w:txbxContent>{paragraph(run('secret'))}</w:txbxContent></wps:txbx>"
    point = f'xmlns:wp="{SCHEMAS}/drawingml/2006/wordprocessingDrawing" id="1" name="x" hidden="1"'
    vml = 'xmlns:v="urn:schemas-microsoft-com:vml"'
    hidden = (
        f'<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:docPr {point}/>{box}</w:drawing>'
        f"</mc:Choice><mc:Fallback><w:pict>{box}</w:pict></mc:Fallback></mc:AlternateContent></w:r>"
        f'<w:r><w:pict><v:shape {vml} style="visibility:hidden"><v:textbox>{box}</v:textbox></v:shape></w:pict></w:r>'
    )
    oval = f"<w:r><w:pict><v:oval {vml}><v:textbox><w:txbxContent>{paragraph(run('Oval'))}</w:txbxContent></v:textbox>"
    oval += "</v:oval></w:pict></w:r>"
    art = f'<w:r><w:pict><v:shape {vml}><v:textpath string="SUMMER SALE"/></v:shape></w:pict></w:r>'
    assert texts(tmp_path, docx(paragraph(hidden, run("Seen")) + paragraph(art, oval))) == [
        "Seen", "SUMMER SALE", "Oval",
    ]  # fmt: skip


def test_letters_of_symbol_fonts_are_what_they_show(tmp_path: Path) -> None:
    symbols = run("b", '<w:rFonts w:ascii="Symbol"/>') + run("ü", '<w:rFonts w:ascii="Wingdings"/>')
    assert texts(tmp_path, docx(paragraph(symbols, run("b", '<w:rFonts w:cs="Symbol"/>')))) == ["β✓b"]
