from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from retriton_pipeline.documents import load_document

SCHEMAS = "http://schemas.openxmlformats.org"
NAMES = (
    f'xmlns:w="{SCHEMAS}/wordprocessingml/2006/main" xmlns:r="{SCHEMAS}/officeDocument/2006/relationships" '
    f'xmlns:a="{SCHEMAS}/drawingml/2006/main" xmlns:dgm="{SCHEMAS}/drawingml/2006/diagram" '
    f'xmlns:c="{SCHEMAS}/drawingml/2006/chart" xmlns:mc="{SCHEMAS}/markup-compatibility/2006" '
    'xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
)
RELATIONS = f'xmlns="{SCHEMAS}/package/2006/relationships"'
OFFICE = f"{SCHEMAS}/officeDocument/2006/relationships"
TYPES = f'<Types xmlns="{SCHEMAS}/package/2006/content-types"/>'

Read = Callable[..., list[str]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads a DOCX with ``body`` and further parts as the texts of its blocks."""

    def read(body: str, relations: str = "", strict: bool = False, **parts: str) -> list[str]:
        members = {
            "[Content_Types].xml": TYPES,
            "_rels/.rels": f'<Relationships {RELATIONS}><Relationship Id="a" Type="{OFFICE}/officeDocument" '
            'Target="word/document.xml"/></Relationships>',
            "word/document.xml": f"<w:document {NAMES}><w:body>{body}</w:body></w:document>",
            "word/_rels/document.xml.rels": f"<Relationships {RELATIONS}>{relations}</Relationships>",
        } | {f"word/{name}.xml": content for name, content in parts.items()}
        if strict:
            for name, content in members.items():
                members[name] = content.replace(f"{SCHEMAS}/wordprocessingml/2006/", "http://purl.oclc.org/ooxml/"
                                                "wordprocessingml/").replace(f"{SCHEMAS}/officeDocument/2006/",
                                                "http://purl.oclc.org/ooxml/officeDocument/")  # fmt: skip
        with zipfile.ZipFile(tmp_path / "a.docx", "w") as made:
            for name, content in members.items():
                made.writestr(name, content)
        return [block.text for block in load_document(tmp_path / "a.docx").blocks]

    return read


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(*runs: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{''.join(runs)}</w:p>"


def field(kind: str, data: str = "") -> str:
    return f'<w:r><w:fldChar w:fldCharType="{kind}">{data}</w:fldChar></w:r>'


def test_results_of_fields_are_text_and_their_code_is_not(read: Read) -> None:
    simple = (
        f'<w:fldSimple w:instr=" REF a "><w:fldSimple w:instr=" PAGE ">{run("clause 8")}</w:fldSimple></w:fldSimple>'
    )
    code = "<w:r><w:instrText> IF </w:instrText></w:r>"
    nested = field("begin") + run("Ann") + field("separate") + run("no result of its own") + field("end")
    complex_ = field("begin") + code + nested + run(" = 1") + field("separate") + run("within a week") + field("end")
    body = paragraph(run("See "), simple, run(", "), complex_, run(".")) + paragraph(field("begin"), run("kept"))
    assert read(body) == ["See clause 8, within a week.", "kept"]


@pytest.mark.parametrize(("state", "box"), [("", "☐"), ('<w:checked w:val="0"/>', "☐"), ("<w:checked/>", "☒")])
def test_form_fields_tell_what_was_chosen(read: Read, state: str, box: str) -> None:
    data = f'<w:ffData><w:checkBox><w:default w:val="0"/>{state}</w:checkBox></w:ffData>'
    choice = ('<w:ffData><w:ddList><w:result w:val="1"/><w:listEntry w:val="red"/><w:listEntry w:val="blue"/>'
              "</w:ddList></w:ffData>")  # fmt: skip
    checkbox = field("begin", data) + field("separate") + field("end")
    assert read(paragraph(checkbox, run(" paid, "), field("begin", choice), field("end"))) == [f"{box} paid, blue"]


@pytest.mark.parametrize(("value", "box"), [("0", "☐"), ("1", "☒"), ("true", "☒")])
def test_content_controls_with_a_check_box_tell_their_state(read: Read, value: str, box: str) -> None:
    symbol = '<w:r><w:sym w:font="Wingdings 2" w:char="F052"/></w:r>'
    control = (f'<w:sdt><w:sdtPr><w14:checkbox><w14:checked w14:val="{value}"/></w14:checkbox></w:sdtPr>'
               f"<w:sdtContent>{symbol}</w:sdtContent></w:sdt>")  # fmt: skip
    assert read(paragraph(control, run(" insured"))) == [f"{box} insured"]


LEVELS = "".join(
    f'<w:lvl w:ilvl="{level}"><w:start w:val="{start}"/><w:numFmt w:val="{style}"/>{more}'
    f'<w:lvlText w:val="{text}"/></w:lvl>'
    for level, (start, style, text, more) in enumerate(
        [(3, "upperRoman", "Art. %1", '<w:pStyle w:val="Clause"/>'), (1, "decimal", "%1.%2", "<w:isLgl/>"),
         (1, "lowerLetter", "%3)", ""), (1, "bullet", "o", "")]
    )
)  # fmt: skip
NUMBERING = (
    f'<w:numbering {NAMES}><w:abstractNum w:abstractNumId="7">{LEVELS}</w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="7"/>'
    '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride></w:num></w:numbering>'
)
STYLES = (
    f'<w:styles {NAMES}><w:style w:type="paragraph" w:styleId="Clause"><w:name w:val="heading 1"/><w:pPr><w:numPr>'
    '<w:numId w:val="1"/></w:numPr></w:pPr></w:style><w:style w:type="character" w:styleId="Secret"><w:rPr><w:vanish/>'
    '</w:rPr></w:style><w:style w:type="paragraph" w:styleId="Internal"><w:basedOn w:val="Base"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Base"><w:rPr><w:vanish/></w:rPr></w:style></w:styles>'
)
PARTS = "".join(f'<Relationship Id="{name}" Type="{OFFICE}/{name}" Target="{name}.xml"/>'
                for name in ("numbering", "styles", "footnotes"))  # fmt: skip


def item(text: str, level: int, number: int = 1) -> str:
    return paragraph(run(text), properties=f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>')


def test_paragraphs_have_the_numbers_that_are_displayed(read: Read) -> None:
    body = "".join([
        paragraph(run("Fees"), properties='<w:pStyle w:val="Clause"/>'), item("Due", 1), item("at once", 2),
        item("or later", 2), item("cash", 3), item("Late", 1), item("anew", 2),
        paragraph(run("Unnumbered"), properties='<w:pStyle w:val="Clause"/><w:numPr><w:numId w:val="0"/></w:numPr>'),
        item("End", 0), item("Restarted", 0, number=2),
    ])  # fmt: skip
    assert read(body, PARTS, numbering=NUMBERING, styles=STYLES) == [
        "Art. III Fees",
        "3.1 Due\n    a) at once\n    b) or later\n      - cash\n  3.2 Late\n    a) anew",
        "Unnumbered",
        "Art. IV End\nArt. I Restarted",
    ]


def test_hidden_text_is_not_read(read: Read) -> None:
    hidden = run("margin", "<w:vanish/>") + run("margin", '<w:rStyle w:val="Secret"/>')
    internal = run("margin") + run("shown", '<w:vanish w:val="0"/>')
    row = "<w:tr>{}<w:tc><w:p>{}</w:p></w:tc><w:tc><w:p>{}</w:p></w:tc></w:tr>"
    table = (
        f"<w:tbl>{row.format('', run('a'), run('b'))}{row.format('<w:trPr><w:hidden/></w:trPr>', run('c'), run('d'))}"
    )
    body = paragraph(run("Price"), hidden) + paragraph(internal, properties='<w:pStyle w:val="Internal"/>')
    assert read(f"{body}{table}</w:tbl>", PARTS, styles=STYLES) == ["Price", "shown", "a b"]


def test_tracked_changes_are_accepted(read: Read) -> None:
    body = (
        paragraph(run("One"), properties="<w:rPr><w:del/></w:rPr>")
        + paragraph(run(" sentence"), f"<w:del>{run('gone')}</w:del>", f"<w:ins>{run('.')}</w:ins>")
        + f"<w:p><w:moveFrom>{run('moved')}</w:moveFrom></w:p><w:p><w:moveTo>{run('moved')}</w:moveTo></w:p>"
        + f"<w:tbl><w:tr><w:tc><w:p>{run('a')}</w:p></w:tc><w:tc><w:tcPr><w:cellDel/></w:tcPr><w:p>{run('b')}</w:p>"
        "</w:tc></w:tr></w:tbl>"
    )
    assert read(body) == ["One sentence.", "moved", "a"]


def test_parallel_lines_of_cells_become_rows(read: Read) -> None:
    def row(*cells: list[str]) -> str:
        made = ("".join(paragraph(run(line)) for line in lines) for lines in cells)
        return f"<w:tr>{''.join(f'<w:tc>{cell}</w:tc>' for cell in made)}</w:tr>"

    rows = [row(["Port"], ["Ship"], ["Tons"]), row(["Kiel"], ["Ida", "Mia"], ["9", "7"]),
            row(["Rom"], ["Ada", "Eva"], ["1", "2", "3"])]  # fmt: skip
    assert read(f"<w:tbl>{''.join(rows)}</w:tbl>") == [
        "| Port | Ship | Tons |\n|---|---|---|\n| Kiel | Ida | 9 |\n| Kiel | Mia | 7 |\n| Rom | Ada Eva | 1 2 3 |"
    ]


def test_line_breaks_in_cells_are_parallel_lines(read: Read) -> None:
    def row(*cells: str) -> str:
        made = ("<w:br/>".join(f"<w:t>{line}</w:t>" for line in cell.split("/")) for cell in cells)
        return f"<w:tr>{''.join(f'<w:tc><w:p><w:r>{lines}</w:r></w:p></w:tc>' for lines in made)}<w:tc/></w:tr>"

    assert read(f"<w:tbl>{row('Fee/name', 'Fee/amount')}{row('Tow/Lift', '5/7')}</w:tbl>") == [
        "| Fee name | Fee amount |\n|---|---|\n| Tow | 5 |\n| Lift | 7 |"
    ]


def test_of_ruby_text_the_base_is_read(read: Read) -> None:
    ruby = f"<w:r><w:ruby><w:rubyPr/><w:rt>{run('とう')}</w:rt><w:rubyBase>{run('東')}</w:rubyBase></w:ruby></w:r>"
    assert read(paragraph(ruby, run("京"))) == ["東京"]


def test_text_of_smartart_charts_and_text_boxes_is_read(read: Read) -> None:
    def point(key: str, text: str) -> str:
        return f'<dgm:pt modelId="{key}"><dgm:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></dgm:t></dgm:pt>'

    def values(name: str, *texts: str) -> str:
        points = "".join(f'<c:pt idx="{index}"><c:v>{text}</c:v></c:pt>' for index, text in enumerate(texts))
        return f"<c:{name}><c:numRef><c:formatCode>0%</c:formatCode>{points}</c:numRef></c:{name}>"

    points = f'<dgm:pt modelId="0" type="doc"/>{point("2", "Mate")}{point("1", "Captain")}'
    below = '<dgm:cxn srcId="0" destId="1"/><dgm:cxn srcId="1" destId="2"/>'
    diagram = f"<dgm:dataModel {NAMES}>{points}{below}</dgm:dataModel>"
    chart = (f"<c:chartSpace {NAMES}><c:chart><c:plotArea><c:barChart><c:ser><c:tx><c:v>Share</c:v></c:tx>"
             f"{values('cat', 'North', 'South')}{values('val', '0.25', '0.75')}</c:ser></c:barChart></c:plotArea>"
             "</c:chart></c:chartSpace>")  # fmt: skip
    relations = "".join(f'<Relationship Id="{name}" Type="x" Target="{name}.xml"/>' for name in ("diagram", "chart"))
    drawing = "<w:r><w:drawing><a:graphic><a:graphicData>{}</a:graphicData></a:graphic></w:drawing></w:r>"
    box = f"<wps:txbx><w:txbxContent>{paragraph(run('in a box'))}</w:txbxContent></wps:txbx>"
    body = paragraph(
        run("Crew"), drawing.format('<dgm:relIds r:dm="diagram"/>'), drawing.format('<c:chart r:id="chart"/>'),
        f'<mc:AlternateContent><mc:Choice Requires="wps">{drawing.format(box)}</mc:Choice></mc:AlternateContent>',
    )  # fmt: skip
    assert read(body, relations, diagram=diagram, chart=chart) == [
        "Crew", "in a box", "- Captain\n- Mate", "|  | Share |\n|---|---|\n| North | 25% |\n| South | 75% |"
    ]  # fmt: skip


def test_strict_files_are_read(read: Read) -> None:
    assert read(paragraph(run("Fees"), run("hidden", "<w:vanish/>")), strict=True) == ["Fees"]


def test_text_that_is_struck_once_or_twice_is_not_read(read: Read) -> None:
    struck = run("9 ", "<w:strike/>") + run("8 ", "<w:dstrike/>")
    assert read(paragraph(run("Price: "), struck, run("7", '<w:dstrike w:val="0"/>'))) == ["Price: 7"]


def test_text_that_a_style_strikes_is_not_read(read: Read) -> None:
    styles = (
        f'<w:styles {NAMES}><w:style w:type="character" w:styleId="Old"><w:rPr><w:strike/></w:rPr></w:style>'
        '<w:style w:type="paragraph" w:styleId="Void"><w:rPr><w:dstrike/></w:rPr></w:style></w:styles>'
    )
    old, kept = '<w:rStyle w:val="Old"/>', '<w:rStyle w:val="Old"/><w:strike w:val="0"/>'
    body = paragraph(run("Price "), run("9", old), run("7", kept)) + paragraph(
        run("gone"), properties='<w:pStyle w:val="Void"/>'
    )
    assert read(body, PARTS, styles=styles) == ["Price 7"]
