"""The numbers of the footnotes and endnotes of a DOCX, each counted for itself, in the HTML that mammoth makes."""

from __future__ import annotations

from lxml import etree, html

from retriton_pipeline.documents.numerals import numeral
from retriton_pipeline.documents.office.list_numbers import NUMBER_MARK
from retriton_pipeline.documents.office.ooxml import WORD

_USUAL = {"footnote": "decimal", "endnote": "lowerRoman"}
_REFERENCES = "//sup[a[starts-with(@href, '#footnote-') or starts-with(@href, '#endnote-')]]"
_BACK_LINKS = "//a[starts-with(@href, '#footnote-ref-') or starts-with(@href, '#endnote-ref-')][. = '↑']"


def note_styles(body: etree._Element) -> dict[str, str]:
    """How the notes of a document are numbered, by their kinds."""
    styles = dict(_USUAL)
    for kind in styles:
        for form in body.iter(f"{WORD}{kind}Pr"):
            if (style := form.find(f"{WORD}numFmt")) is not None:
                styles[kind] = style.get(f"{WORD}val", styles[kind])
    return styles


def number_notes(tree: html.HtmlElement, styles: dict[str, str]) -> None:
    """Numbers notes and references to them as displayed; references are text, and there are no links back.

    Args:
        tree: of the HTML.
        styles: of `note_styles`.
    """
    for link in tree.xpath(_BACK_LINKS):
        link.drop_tree()
    counts = dict.fromkeys(styles, 0)
    notes = {note.get("id"): note for note in tree.iter("li") if note.get("id")}
    for reference in tree.xpath(_REFERENCES):
        target = reference[0].get("href", "")[1:]
        kind = target.partition("-")[0]
        counts[kind] += 1
        number = numeral(counts[kind], styles[kind])
        reference[0].text = f"[{number}]"
        reference.drop_tag()  # "5[1]" is no power of five
        if (note := notes.pop(target, None)) is not None:
            first = next(note.iter("p"), note)
            first.text = f"{NUMBER_MARK}{number}. {(first.text or '').lstrip()}"
