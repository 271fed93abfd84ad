"""Removes what a DOCX hides: text, paragraphs, rows and cells."""

from __future__ import annotations

from lxml import etree

from retriton_pipeline.documents.office.docx_elements import remove
from retriton_pipeline.documents.office.docx_styles import Styles, style_of
from retriton_pipeline.documents.office.docx_symbols import is_out_of_sight
from retriton_pipeline.documents.office.formulas import MATH
from retriton_pipeline.documents.office.ooxml import WORD, is_on

_VALUE = f"{WORD}val"


def remove_hidden(root: etree._Element, styles: Styles) -> None:
    """Removes hidden runs from ``root``, paragraphs that hold nothing else, and hidden rows; empties deleted cells."""
    for run in _hidden_runs(root, styles):
        remove(run)
    for paragraph in list(root.iter(f"{WORD}p")):
        if _is_hidden(paragraph, styles):
            remove(paragraph)  # which is not numbered
    for row in list(root.iter(f"{WORD}tr")):
        if is_on(row.find(f"{WORD}trPr/{WORD}hidden"), _VALUE):
            remove(row)
    for cell in list(root.iter(f"{WORD}tc")):
        if cell.find(f"{WORD}tcPr/{WORD}cellDel") is not None:
            cell[:] = [etree.Element(f"{WORD}p")]


def _hidden_runs(root: etree._Element, styles: Styles) -> list[etree._Element]:
    has_background = root.find(f"{WORD}background") is not None
    paragraph_styles: list[str] = []
    hidden: list[etree._Element] = []
    for event, element in etree.iterwalk(root, events=("start", "end"), tag=(f"{WORD}p", f"{WORD}r")):
        if event == "start" and element.tag == f"{WORD}p":
            paragraph_styles.append(style_of(element))
        elif event == "end" and element.tag == f"{WORD}p":
            paragraph_styles.pop()
        elif event == "start" and (
            is_out_of_sight(element, has_background)
            or styles.is_hidden(element, paragraph_styles[-1] if paragraph_styles else "")
        ):
            hidden.append(element)
    return hidden


def _is_hidden(paragraph: etree._Element, styles: Styles) -> bool:
    """Whether a paragraph whose end is hidden has nothing that is seen; the last one of a cell is kept."""
    properties = paragraph.find(f"{WORD}pPr")
    if properties is None or paragraph.getnext() is None or not styles.is_hidden(properties, style_of(paragraph)):
        return False
    return next(paragraph.iter(f"{WORD}r", f"{MATH}oMath"), None) is None
