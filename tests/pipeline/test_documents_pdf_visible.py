from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from retriton_pipeline.documents import load_document
from retriton_pipeline.documents.joining import joined
from retriton_pipeline.errors import UnreadableDocument

BODY_TEXT = "The visible text of this page."
BODY = f"BT /F 11 Tf 50 700 Td ({BODY_TEXT}) Tj ET"
HELVETICA = "<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>"
Read = Callable[..., list[str]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads a PDF of one page with ``content``, and with further entries and objects (from number 6)."""

    def read(
        content: str, page: str = "", catalog: str = "", objects: tuple[str, ...] = (), info: str = ""
    ) -> list[str]:
        bodies = [
            f"<</Type /Catalog /Pages 2 0 R {catalog}>>",
            "<</Type /Pages /Kids [3 0 R] /Count 1>>",
            f"<</Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R {page} "
            f"/Resources <</Font <</F {HELVETICA} /E 6 0 R>> /XObject <</I 5 0 R /X 6 0 R>>>>>>",
            f"<</Length {len(content)}>>\nstream\n{content}\nendstream",
            "<</Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8>>"
            "\nstream\n0\nendstream",
            *objects,
        ]
        text = "".join(f"{number} 0 obj\n{body}\nendobj\n" for number, body in enumerate(bodies, 1))
        (tmp_path / "a.pdf").write_text(f"%PDF-1.7\n{text}trailer <</Root 1 0 R /Info <<{info}>>>>\n%%EOF")
        document = load_document(tmp_path / "a.pdf")
        return [document.title, *(block.text for block in document.blocks)]

    return read


@pytest.mark.parametrize(
    "hidden",
    [
        "1 g BT /F 11 Tf 50 650 Td (white) Tj ET",
        "BT 3 Tr /F 11 Tf 50 650 Td (invisible) Tj ET",
        "BT /F 11 Tf 50 900 Td (above the page) Tj ET",
        "BT /F 11 Tf 400 300 Td (outside of the crop box) Tj ET",
        "q .7 .7 -.7 .7 200 300 cm BT /F 60 Tf (DRAFT) Tj ET Q",
        ".8 g BT /F 60 Tf 50 500 Td (DRAFT) Tj ET",
        "q .8 g .7 .7 -.7 .7 50 500 cm BT /F 14 Tf (copy) Tj ET Q",
    ],
)
def test_text_that_is_not_seen_is_not_read(read: Read, hidden: str) -> None:
    assert read(f"{BODY} {hidden}", page="/CropBox [0 400 600 800]") == ["a", "The visible text of this page."]


@pytest.mark.parametrize(
    "shown",
    [
        "0 0 .5 rg 40 640 300 30 re f 1 g BT /F 11 Tf 50 650 Td (shown) Tj ET",
        "q 300 0 0 30 40 640 cm /I Do Q 1 g BT /F 11 Tf 50 650 Td (shown) Tj ET",
        "q 600 0 0 690 0 0 cm /I Do Q BT 3 Tr /F 11 Tf 50 650 Td (shown) Tj ET",
        "q .7 .7 -.7 .7 50 600 cm BT /F 9 Tf (shown) Tj ET Q",
        ".7 g BT /F 9 Tf 50 650 Td (shown) Tj ET",
    ],
)
def test_light_and_recognized_and_diagonal_text_that_is_seen_is_read(read: Read, shown: str) -> None:
    assert read(f"{BODY} {shown}") == ["a", "The visible text of this page.", "shown"]


def field(kind: str, box: str, more: str) -> str:
    return f"<</Type /Annot /Subtype /Widget /FT /{kind} /F 4 /Rect [{box}] {more}>>"


def test_form_values_stand_at_their_labels(read: Read) -> None:
    labels = ["50 700 Td (Ship:) Tj", "50 660 Td (Flag) Tj", "90 620 Td (insured) Tj", "50 580 Td (Power) Tj",
              "50 540 Td (Remarks on the cargo) Tj"]  # fmt: skip
    states = "/AP <</N <</On 5 0 R /Off 5 0 R>>>>"
    objects = (
        field("Tx", "200 695 300 715", "/T (a) /V (Ida)"),
        field("Ch", "200 655 300 675", "/Ff 131072 /T (b) /Opt [[(de) (Germany)] [(fr) (France)]] /V (fr)"),
        field("Btn", "70 618 82 630", f"/T (c) /AS /On /V /On {states}"),
        field("Btn", "200 578 212 590", f"/T (d) /AS /Off /V /Off {states}"),
        field("Tx", "50 510 300 535", "/T (e) /V (none)"),
        field("Tx", "400 100 500 120", "/T (f) /TU (Agent) /V (Ann)"),
        field("Tx", "400 200 500 220", "/T (g) /V (secret)").replace("/F 4", "/F 2"),
        field("Tx", "400 300 500 320", "/T (h)"),
    )
    numbers = " ".join(f"{number} 0 R" for number in range(6, 6 + len(objects)))
    content = "".join(f"BT /F 11 Tf {label} ET " for label in labels)
    blocks = read(content, f"/Annots [{numbers}]", f"/AcroForm <</Fields [{numbers}]>>", objects)
    assert blocks[1:] == [
        "Ship: Ida", "Flag France", "☒ insured", "Power ☐", "Remarks on the cargo none", "Agent: Ann"
    ]  # fmt: skip


def test_passwords_in_forms_are_not_read(read: Read) -> None:
    password = field("Tx", "100 695 200 712", "/T (code) /Ff 8192 /V (secret)")
    label = "BT /F 11 Tf 50 700 Td (Code:) Tj ET"
    assert read(label, "/Annots [6 0 R]", "/AcroForm <</Fields [6 0 R]>>", (password,)) == ["a", "Code:"]


def test_a_dynamic_form_is_named(read: Read) -> None:
    with pytest.raises(UnreadableDocument, match="dynamic XFA form"):
        read("BT /F 11 Tf 50 700 Td (Please wait...) Tj ET", catalog="/NeedsRendering true /AcroForm <</XFA (x)>>")


def test_what_a_library_writes_by_default_is_no_title(read: Read) -> None:
    assert read(BODY, info="/Title (\\(anonymous\\))")[0] == "a"


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [("港口管", "理处", "港口管理处"), ("とても", "きれい", "とてもきれい"), ("a dry", "dock", "a dry dock"),
     ("항구", "관리", "항구 관리"), ("使用", "API", "使用 API"), ("", "a", "a"), ("第一。", "第二", "第一。第二")],
)  # fmt: skip
def test_lines_are_joined_without_a_space_within_chinese_and_japanese(before: str, after: str, text: str) -> None:
    assert joined(before, after) == text


def test_the_hyphen_of_hidden_text_breaks_no_word(read: Read) -> None:
    hidden = "1 g BT /F 11 Tf 136 650 Td (white-) Tj ET 0 g"
    content = f"BT /F 11 Tf 50 650 Td (Two of the words) Tj ET {hidden} BT /F 11 Tf 50 636 Td (continue below.) Tj ET"
    assert read(content)[1:] == ["Two of the words continue below."]


@pytest.mark.parametrize(("colour", "expected"), [("0 g", ["in a form", BODY_TEXT]), ("3 Tr", [BODY_TEXT])])
def test_text_within_a_form_is_checked(read: Read, colour: str, expected: list[str]) -> None:
    text = f"BT {colour} /F 11 Tf 10 10 Td (in a form) Tj ET"
    entries = f"/BBox [0 0 100 30] /Resources <</Font <</F {HELVETICA}>>>> /Length {len(text)}"
    form = f"<</Type /XObject /Subtype /Form {entries}>>\nstream\n{text}\nendstream"
    assert read(f"q 1 0 0 1 40 740 cm /X Do Q {BODY}", objects=(form,))[1:] == expected


def test_hidden_text_after_characters_of_two_code_units_is_not_read(read: Read) -> None:
    map_ = (
        "/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <FF> endcodespacerange "
        "2 beginbfchar <41> <D83DDE00> <42> <0002> endbfchar endcmap end"
    )
    font = HELVETICA.replace(">>", "/ToUnicode 7 0 R>>")
    stream = f"<</Length {len(map_)}>>\nstream\n{map_}\nendstream"
    content = f"{BODY} BT /E 11 Tf 50 650 Td (ABA ship) Tj ET 1 g BT /F 11 Tf 50 600 Td (white) Tj ET"
    assert read(content, objects=(font, stream))[1:] == [BODY_TEXT, "\U0001f600\ufffd\U0001f600 ship"]
