"""Text that is hidden, merged, in controls or in images, and text that is lost."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pypdfium2
import pytest
from fpdf import FPDF
from fuzz.containers import ZIP
from openpyxl import Workbook

from retriton_pipeline.documents import Document, FilePart, Unreadable, load_document, load_documents
from retriton_pipeline.documents.completeness import with_missing_text
from retriton_pipeline.documents.model import Block, Content

RULES = (
    ".secret{display:none} p.off, #gone {visibility: hidden} @media print {.printed{display:none}} "
    "@media screen and (max-width: 400px) {.wide{display:none}} .tab{display:none} .tab.active{display:block} "
    ".js .later{display:none}"
)


def test_text_that_style_sheets_hide_is_not_stored(tmp_path: Path) -> None:
    shown = ("printed", "wide", "tab active", "later")
    page = f"<html><head><style>{RULES}</style></head><body><main><p>The pump runs at forty bar every day.</p>"
    page += '<p class="secret">hidden</p><p class="off">hidden</p><p id="gone">hidden</p>'
    page += '<div class="js"><p class="later">hidden</p></div>'
    page += "".join(f'<p class="{name}">Shown as {name}.</p>' for name in shown)
    (tmp_path / "a.html").write_text(page)
    texts = [block.text for block in load_document(tmp_path / "a.html").blocks]
    assert texts[1:] == [f"Shown as {name}." for name in shown]


def test_merged_cells_of_a_sheet_stand_for_all_that_they_span(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["Region", "2030", None], [None, "plan", "actual"], ["North", 1, 2], [None, 3, 4]):
        sheet.append(row)
    for merged in ("A1:A2", "B1:C1", "A3:A4"):
        sheet.merge_cells(merged)
    book.save(tmp_path / "a.xlsx")
    assert load_document(tmp_path / "a.xlsx").blocks[1].text == (
        "| Region | 2030 plan | 2030 actual |\n|---|---|---|\n| North | 1 | 2 |\n| North | 3 | 4 |"
    )


def test_controls_of_an_odt(tmp_path: Path) -> None:
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "text", "form")
    )
    body = (
        f'<office:document-content{names} xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"><office:body>'
        '<office:text><office:forms><form:form><form:checkbox form:id="a" form:label="yes" '
        'form:current-state="checked"/><form:checkbox form:id="b" form:label="no"/><form:text form:id="c" '
        'form:current-value="Pier 9"/></form:form></office:forms><text:p>Water?<draw:control draw:control="a"/>'
        '<draw:control draw:control="b"/> Berth:<draw:control draw:control="c"/></text:p></office:text></office:body>'
        "</office:document-content>"
    )
    packed = ZIP.pack({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": body.encode()})
    (tmp_path / "a.odt").write_bytes(packed)
    assert [block.text for block in load_document(tmp_path / "a.odt").blocks] == ["Water? ☒ yes ☐ no Berth: Pier 9"]


def test_a_document_that_loses_most_of_its_text_is_named() -> None:
    kept = Content("", [Block("a" * 600)], visible_characters=1000)
    assert with_missing_text(kept) == kept
    lost = with_missing_text(Content("", [Block("a " * 400)], visible_characters=1000))
    assert lost.unreadable_parts == {"text": "only 400 of the 1000 characters that it shows are stored"}


def scan(folder: Path) -> Path:
    """A PDF with a page of text, and an image of another page of text."""
    page = FPDF()
    page.add_page()
    page.set_font("helvetica", size=24)
    page.cell(text="The harbour crane needs oil.")
    with pypdfium2.PdfDocument(bytes(page.output())) as rendered:
        picture = io.BytesIO()
        rendered[0].render(scale=3).to_pil().save(picture, "PNG")
    made = FPDF()
    made.set_font("helvetica", size=12)
    made.add_page()
    made.cell(text="A page of text.")
    made.add_page()
    made.image(picture, 0, 0, made.w)
    made.output(str(folder / "a.pdf"))
    return folder / "a.pdf"


def test_a_scanned_page_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RETRITON_OCR", raising=False)
    document, unreadable = load_documents(FilePart(scan(tmp_path)))
    assert isinstance(document, Document)
    assert isinstance(unreadable, Unreadable)
    assert unreadable.source.endswith("#page 2")
    assert "1 of its pages are images without a text layer" in unreadable.reason


def test_a_scanned_page_is_recognized_if_that_is_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRITON_OCR", "eng")
    if shutil.which("tesseract") is None:
        (unreadable,) = load_documents(FilePart(scan(tmp_path)))
        assert isinstance(unreadable, Unreadable)
        assert "tesseract is not installed" in unreadable.reason
        return
    (document,) = load_documents(FilePart(scan(tmp_path)))
    assert isinstance(document, Document)
    assert [(block.page, block.text) for block in document.blocks] == [
        (1, "A page of text."),
        (2, "The harbour crane needs oil."),
    ]
