"""Parts of a DOCX in other formats or places, and characters that only fonts explain."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from retriton_pipeline.documents import Document, FilePart, Unreadable, load_document, load_documents
from tests.pipeline.test_documents_docx import NAMES, OFFICE, RELATIONS, TYPES, paragraph, run

MATH = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'


def docx(body: str, relations: str = "", main: str = "document.xml", **parts: str | bytes) -> bytes:
    members: dict[str, str | bytes] = {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": f'<Relationships {RELATIONS}><Relationship Id="a" Type="{OFFICE}/officeDocument" '
        f'Target="word/{main}"/></Relationships>',
        f"word/{main}": f"<w:document {NAMES} {MATH}><w:body>{body}</w:body></w:document>",
        f"word/_rels/{main}.rels": f"<Relationships {RELATIONS}>{relations}</Relationships>",
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        for name, content in (
            members | {f"word/{name.replace('_', '.')}": text for name, text in parts.items()}
        ).items():
            made.writestr(name, content)
    return packed.getvalue()


def relation(kind: str, target: str) -> str:
    return f'<Relationship Id="x" Type="{OFFICE}/{kind}" Target="{target}"/>'


def texts(tmp_path: Path, raw: bytes, name: str = "a.docx") -> list[str]:
    (tmp_path / name).write_bytes(raw)
    return [block.text for block in load_document(tmp_path / name).blocks]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("part_html", "<html><p>Inner text.</p></html>"),
        ("part_txt", "Inner text."),
        ("part_rtf", "{\\rtf1 Inner text.\\par}"),
        ("part_dat", b"{\\rtf1 Inner text.\\par}"),
        ("part_mht", "MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n\n<p>Inner text.</p>"),
        ("part_docx", docx(paragraph(run("Inner text.")))),
    ],
)
def test_parts_in_other_formats_are_read_at_their_place(tmp_path: Path, name: str, content: str | bytes) -> None:
    body = f'{paragraph(run("Before."))}<w:altChunk r:id="x"/>{paragraph(run("After."))}'
    raw = docx(body, relation("aFChunk", name.replace("_", ".")), **{name: content})
    assert texts(tmp_path, raw) == ["Before.", "Inner text.", "After."]


def test_a_part_in_a_cell_and_one_that_cannot_be_read(tmp_path: Path) -> None:
    cells = f'<w:tc>{paragraph(run("Map"))}</w:tc><w:tc><w:altChunk r:id="x"/></w:tc>'
    raw = docx(f"<w:tbl><w:tr>{cells}</w:tr></w:tbl>", relation("aFChunk", "p.html"), p_html="<p>of</p><p>the sea</p>")
    assert texts(tmp_path, raw) == ["Map of the sea"]
    raw = docx(f'{paragraph(run("Text."))}<w:altChunk r:id="x"/>', relation("aFChunk", "p.docx"), p_docx=b"PK broken")
    (tmp_path / "a.docx").write_bytes(raw)
    document, unreadable = load_documents(FilePart(tmp_path / "a.docx"))
    assert isinstance(document, Document)
    assert isinstance(unreadable, Unreadable)
    assert "the part cannot be read: it is a damaged ZIP archive" in unreadable.reason


def test_a_damaged_note_does_not_keep_the_text_from_being_read(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(docx(paragraph(run("Text.")), footnotes_xml="<w:footnotes"))
    document, unreadable = load_documents(FilePart(tmp_path / "a.docx"))
    assert isinstance(document, Document)
    assert document.blocks[0].text == "Text."
    assert isinstance(unreadable, Unreadable)
    assert unreadable.source.endswith("a.docx#word/footnotes.xml")


def test_the_body_is_found_by_its_relation(tmp_path: Path) -> None:
    assert texts(tmp_path, docx(paragraph(run("Text.")), main="document2.xml"), "a.docm") == ["Text."]


def test_characters_of_symbol_fonts_are_those_that_they_show(tmp_path: Path) -> None:
    greek = run("\uf062", '<w:rFonts w:ascii="Symbol"/>')
    tick = run("\uf0fc", '<w:rFonts w:hAnsi="Wingdings"/>')
    assert texts(tmp_path, docx(paragraph(run("At "), greek, run(" "), tick, run("\uf041.")))) == ["At β ✓."]


def test_white_and_tiny_text_is_not_read(tmp_path: Path) -> None:
    white, shaded = '<w:color w:val="FFFFFF"/>', '<w:shd w:val="clear" w:fill="224466"/>'
    body = paragraph(
        run("Seen "), run("white", white), run("tiny", '<w:sz w:val="2"/>'), run("shaded", f"{white}{shaded}")
    )
    cell = f"<w:tc>{paragraph(run('cell', white))}</w:tc>"
    assert texts(tmp_path, docx(f"{body}<w:tbl><w:tr>{cell}</w:tr></w:tbl>")) == ["Seen shaded", "cell"]


def test_line_breaks_and_formulas_in_rows(tmp_path: Path) -> None:
    def operand(text: str) -> str:
        return f"<m:e><m:r><m:t>{text}</m:t></m:r></m:e>"

    matrix = f"<m:m><m:mr>{operand('a')}{operand('b')}</m:mr><m:mr>{operand('c')}{operand('d')}</m:mr></m:m>"
    sine = f"<m:func><m:fName><m:r><m:t>sin</m:t></m:r></m:fName>{operand('x')}</m:func>"
    root = f"<m:rad><m:deg><m:r><m:t>3</m:t></m:r></m:deg>{operand('y')}</m:rad>"
    formulas = "".join(f"<m:oMath>{part}</m:oMath><w:r><w:t>|</w:t></w:r>" for part in (matrix, sine, root))
    body = f"<w:p><w:r><w:t>one</w:t><w:cr/><w:t>two</w:t><w:ptab/><w:t>three</w:t></w:r></w:p><w:p>{formulas}</w:p>"
    assert texts(tmp_path, docx(body)) == ["one\ntwo three", "a, b; c, d|sin x|3√(y)|"]


def test_presentations_and_workbooks_that_are_templates_or_shows(tmp_path: Path) -> None:
    from pptx import Presentation

    made = Presentation()
    made.slides.add_slide(made.slide_layouts[5]).shapes.title.text = "Maps"
    made.save(tmp_path / "a.pptx")
    with zipfile.ZipFile(tmp_path / "a.pptx") as source:
        members = {name: source.read(name) for name in source.namelist()}
    ordinary = b"openxmlformats-officedocument.presentationml.presentation.main+xml"
    for suffix, kind in [
        ("ppsx", b"openxmlformats-officedocument.presentationml.slideshow.main+xml"),
        ("potx", b"openxmlformats-officedocument.presentationml.template.main+xml"),
        ("pptm", b"ms-powerpoint.presentation.macroEnabled.main+xml"),
        ("ppsm", b"ms-powerpoint.slideshow.macroEnabled.main+xml"),
    ]:
        with zipfile.ZipFile(tmp_path / f"a.{suffix}", "w") as copy:
            for name, content in members.items():
                copy.writestr(name, content.replace(ordinary, kind))
        assert load_document(tmp_path / f"a.{suffix}").blocks[0].text == "Maps"


def test_calendars_and_saved_web_pages(tmp_path: Path) -> None:
    (tmp_path / "a.ics").write_text(
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Map day\r\nLOCATION:Hall\r\nEND:VEVENT\r\n", encoding="utf-8"
    )
    document = load_document(tmp_path / "a.ics")
    assert (document.title, document.blocks[0].text) == ("Map day", "Summary: Map day\nLocation: Hall")
    (tmp_path / "a.mht").write_text(
        "Subject: Map page\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\n--b\n"
        "Content-Type: text/html\n\n<h1>Maps</h1><p>Saved.</p>\n--b--\n",
        encoding="utf-8",
    )
    document = load_document(tmp_path / "a.mht")
    assert (document.title, [block.text for block in document.blocks]) == ("Map page", ["Maps", "Saved."])


def test_notes_have_no_arrows_back(tmp_path: Path) -> None:
    note = f'<w:footnotes {NAMES}><w:footnote w:id="2">{paragraph(run("Only indoors."))}</w:footnote></w:footnotes>'
    body = paragraph(run("Claim"), '<w:r><w:footnoteReference w:id="2"/></w:r>')
    raw = docx(body, relation("footnotes", "footnotes.xml"), footnotes_xml=note)
    assert texts(tmp_path, raw) == ["Claim[1]", "1. Only indoors."]


def test_links_and_pictures_that_the_file_does_not_have(tmp_path: Path) -> None:
    names = 'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"'
    picture = f'<w:r><w:drawing><wp:inline {names}><a:blip r:embed="gone"/></wp:inline></w:drawing></w:r>'
    link = f'<w:hyperlink r:id="lost"><w:ins w:id="1">{run("the rules")}</w:ins></w:hyperlink>'
    assert texts(tmp_path, docx(paragraph(run("See "), link, picture))) == ["See the rules"]


def test_footnotes_and_endnotes_are_counted_apart(tmp_path: Path) -> None:
    names = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'

    def note(kind: str, *notes: str) -> str:
        made = "".join(
            f'<w:{kind} w:id="{number}">{paragraph(run(text))}</w:{kind}>' for number, text in enumerate(notes, 2)
        )
        return f"<w:{kind}s {names}>{made}</w:{kind}s>"

    def reference(kind: str, number: int) -> str:
        return f'<w:r><w:{kind}Reference w:id="{number}"/></w:r>'

    def body(section: str = "") -> str:
        marks = reference("footnote", 2), run(" b"), reference("endnote", 2), run(" c"), reference("footnote", 3)
        return paragraph(run("a"), *marks) + f"<w:sectPr>{section}</w:sectPr>"

    parts = {"footnotes_xml": note("footnote", "One", "Two"), "endnotes_xml": note("endnote", "End")}
    assert texts(tmp_path, docx(body(), **parts)) == ["a[1] b[i] c[2]", "1. One\ni. End\n2. Two"]
    letters = '<w:footnotePr><w:numFmt w:val="lowerLetter"/></w:footnotePr>'
    assert texts(tmp_path, docx(body(letters), **parts))[0] == "a[a] b[i] c[b]"
