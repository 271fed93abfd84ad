"""Hostile PDFs, written object by object."""

from __future__ import annotations

from collections.abc import Sequence

_PAGE = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F 4 0 R>>/XObject<<%s>>>>/Contents 5 0 R>>"
_FONT = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def pdf(objects: Sequence[str | bytes]) -> bytes:
    """A PDF of numbered objects, the first of which is the catalog."""
    written = b"%PDF-1.7\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(written))
        body = content.encode("latin-1") if isinstance(content, str) else content
        written += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    written += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return written + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, table)


def page_pdf(content: str, kids: int = 1, count: int | None = None, objects: Sequence[str | bytes] = ()) -> bytes:
    """A PDF whose only page, with ``content``, is listed ``kids`` times.

    Args:
        content: the operators of the page.
        kids: how often the page is in the list of pages.
        count: the number of pages that is stated; None for the true one.
        objects: further objects, from number 6. The names of those that are forms are ``/X6``, ``/X7`` and so on.
    """
    names = "".join(f"/X{number} {number} 0 R" for number in range(6, 6 + len(objects)))
    return pdf(
        [
            "<</Type/Catalog/Pages 2 0 R>>",
            f"<</Type/Pages/Kids[{'3 0 R ' * kids}]/Count {kids if count is None else count}>>",
            _PAGE % names,
            _FONT,
            stream(content),
            *objects,
        ]
    )


def stream(content: str, dictionary: str = "") -> str:
    """A stream object."""
    return f"<<{dictionary}/Length {len(content)}>>stream\n{content}\nendstream"


def recursive_form_pdf(depth: int) -> bytes:
    """A PDF with ``depth`` forms, each of which draws the next one twice; the last one draws itself twice."""
    text = "BT /F 9 Tf (some text) Tj ET "
    forms = []
    for number in range(6, 6 + depth):
        drawn = min(number + 1, 5 + depth)
        resources = (
            f"/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</Font<</F 4 0 R>>/XObject<</N {drawn} 0 R>>>>"
        )
        forms.append(stream(f"{text}/N Do /N Do", resources))
    return page_pdf("/X6 Do", objects=forms)


def text_pdf(lines: int, words: int, kids: int = 1, same_line: bool = False) -> bytes:
    """A PDF with ``lines`` of ``words``, of which each is placed by itself; all at the same height on request."""
    operators = ["BT /F 4 Tf"]
    for line in range(lines):
        for word in range(words):
            height = 400 if same_line else 790 - line * 790 / lines
            operators.append(f"1 0 0 1 {20 + word * 570 / words:.2f} {height:.2f} Tm (w{word % 97}) Tj")
    return page_pdf(" ".join([*operators, "ET"]), kids)


def rules_pdf(rules: int) -> bytes:
    """A PDF with a line of text and ``rules`` drawn lines."""
    return page_pdf("BT /F 9 Tf 50 50 Td (some text) Tj ET " + "0 0 m 9 9 l S " * rules)


def looping_pdf() -> bytes:
    """A PDF whose list of pages contains itself."""
    return pdf(["<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[2 0 R 2 0 R]/Count 99999>>"])
