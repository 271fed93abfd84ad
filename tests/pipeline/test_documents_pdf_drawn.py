"""Text of a PDF of which only the drawn page tells whether it is seen: in forms, on layers, under pictures."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.pipeline.test_documents_pdf_visible import BODY, BODY_TEXT, HELVETICA
from tests.pipeline.test_documents_pdf_visible import read as read_content  # noqa: F401 - a fixture

Read = Callable[..., list[str]]
SHOWN, HIDDEN = "BT /F 11 Tf 50 650 Td (shown) Tj ET", "BT /F 11 Tf 50 600 Td (hidden) Tj ET"
BANDS = [f"q 45 {bottom} 300 {height} re W n 1 g 45 {bottom} 300 {height} re f 0 g {SHOWN} Q"
         for bottom, height in ((640, 12.5), (652.5, 12))]  # fmt: skip


def form(text: str, entries: str = "/BBox [0 0 600 800]") -> str:
    resources = f"/Resources <</Font <</F {HELVETICA}>> /XObject <</X 7 0 R>>>>"
    return f"<</Type /XObject /Subtype /Form {entries} {resources} /Length {len(text)}>>\nstream\n{text}\nendstream"


@pytest.mark.parametrize(
    ("content", "forms"),
    [
        ("/X Do", [form(f"{SHOWN} 1 g {HIDDEN}")]),
        ("/X Do", [form(f"0 0 .4 rg 40 640 300 30 re f 1 g {SHOWN} {HIDDEN}")]),
        ("/X Do", [form(f"{SHOWN} {HIDDEN} .5 g 40 590 300 30 re f")]),
        ("/X Do .5 g 40 590 300 30 re f", [form(f"{SHOWN} {HIDDEN}")]),
        ("/X Do", [form(f"{SHOWN} {HIDDEN}", "/BBox [0 630 600 800]")]),
        ("q 0 630 600 170 re W n /X Do Q", [form(f"{SHOWN} {HIDDEN}")]),
        ("q .5 0 0 .5 50 300 cm /X Do Q", [form("/X Do"), form(f"{SHOWN} 1 g {HIDDEN}")]),
    ],
)
def test_text_in_forms_that_is_not_drawn(read_content: Read, content: str, forms: list[str]) -> None:  # noqa: F811
    assert read_content(f"{BODY} {content}", objects=tuple(forms))[1:] == [BODY_TEXT, "shown"]


def test_text_on_a_layer_that_is_switched_off_is_not_read(read_content: Read) -> None:  # noqa: F811
    layers = "/OCProperties <</OCGs [7 0 R 8 0 R] /D <</OFF [7 0 R]>>>>"
    groups = ("<</Type /OCG /Name (a)>>", "<</Type /OCG /Name (b)>>")
    hidden = form(HIDDEN, "/BBox [0 0 600 800] /OC 7 0 R")
    assert read_content(f"{BODY} {SHOWN} /X Do", catalog=layers, objects=(hidden, *groups))[1:] == [BODY_TEXT, "shown"]


def test_text_under_a_picture_is_not_read(read_content: Read) -> None:  # noqa: F811
    covered = f"{BODY} {SHOWN} {HIDDEN} q 300 0 0 30 40 590 cm /I Do Q"
    assert read_content(covered)[1:] == [BODY_TEXT, "shown"]


def test_text_that_is_drawn_in_bands_is_read_once(read_content: Read) -> None:  # noqa: F811
    for first, second in (BANDS, BANDS[::-1]):
        assert read_content(f"{BODY} {first} {second}")[1:] == [BODY_TEXT, "shown"]
