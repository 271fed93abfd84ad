"""Rewrites a part of a DOCX such that mammoth reads what a reader of the document sees.

Mammoth does not know hidden text, numbers of paragraphs, fields in one element, check boxes as text, SmartArt, charts
and formulas.
"""

from __future__ import annotations

from lxml import etree

from retriton_pipeline.documents.office.charts import chart_tables, chart_titles, charts_of
from retriton_pipeline.documents.office.docx_alternatives import resolve_alternatives
from retriton_pipeline.documents.office.docx_elements import new_break, new_paragraph, new_run, new_table, remove
from retriton_pipeline.documents.office.docx_fields import plain_fields
from retriton_pipeline.documents.office.docx_hidden import remove_hidden
from retriton_pipeline.documents.office.docx_numbering import Numbering
from retriton_pipeline.documents.office.docx_styles import Styles
from retriton_pipeline.documents.office.docx_symbols import map_symbols
from retriton_pipeline.documents.office.docx_tables import is_empty_cell, plain_tables, split_parallel_lines
from retriton_pipeline.documents.office.drawings import smartart_lines
from retriton_pipeline.documents.office.formulas import MATH, formula_text
from retriton_pipeline.documents.office.list_numbers import NUMBER_MARK
from retriton_pipeline.documents.office.ooxml import DIAGRAM, DRAWING, RELATIONSHIPS, WORD, Finder

_VALUE = f"{WORD}val"
_JOINED = (f"{WORD}rPr/{WORD}del", f"{WORD}rPr/{WORD}moveFrom", f"{WORD}framePr[@{WORD}dropCap]")
_HEADING_LEVELS_MAX, _HEADING_CHARACTERS_MAX = 6, 200  # longer paragraphs of an outline are its clauses
_PICTURES = (f"{DRAWING}blip", "{urn:schemas-microsoft-com:vml}imagedata")
_SAME = {"cr": "br", "ptab": "tab"}  # which mammoth does not know


def visible(root: etree._Element, styles: Styles, numbering: Numbering, find: Finder) -> etree._Element:
    """``root`` with everything that is displayed as runs, paragraphs and tables, without hidden and deleted text.

    Args:
        root: of a part with paragraphs, which is changed.
        styles: the styles of the document.
        numbering: counts the paragraphs.
        find: the root of the part of a relation, such as a chart.
    """
    resolve_alternatives(root)
    etree.strip_elements(root, *_PICTURES, with_tail=False)  # mammoth fails on those that the file does not have
    etree.strip_tags(root, f"{WORD}hyperlink")
    plain_fields(root)
    plain_tables(root)
    for kind, usual in _SAME.items():
        for element in root.iter(f"{WORD}{kind}"):
            element.tag = f"{WORD}{usual}"
    map_symbols(root)
    remove_hidden(root, styles)
    _join_deleted_paragraph_marks(root)
    _write_formulas(root)
    for paragraph in root.iter(f"{WORD}p"):
        label = numbering.label(paragraph)
        has_text = any(text.strip() for text in paragraph.itertext())
        if label is not None and (has_text or (label and is_empty_cell(paragraph.getparent()))):
            paragraph.insert(_after_properties(paragraph), new_run(NUMBER_MARK + (f"{label} " if label else "")))
        _mark_heading(paragraph, styles.heading_level(paragraph))
    for drawing in reversed(list(root.iter(f"{WORD}drawing"))):
        _insert_drawing_text(drawing, find)
    for row in list(root.iter(f"{WORD}tr")):
        split_parallel_lines(row)
    return root


def _write_formulas(root: etree._Element) -> None:
    """Replaces formulas by runs; those of one paragraph of formulas stand on lines of their own."""
    for paragraph in root.iter(f"{MATH}oMathPara"):
        for formula in list(paragraph.iterchildren(f"{MATH}oMath"))[1:]:
            formula.addprevious(new_break())
    for formula in list(root.iter(f"{MATH}oMath")):
        written = new_run(formula_text(formula))
        written.tail = formula.tail
        if (parent := formula.getparent()) is not None:
            parent.replace(formula, written)
    etree.strip_tags(root, f"{MATH}oMathPara")


def _mark_heading(paragraph: etree._Element, level: int) -> None:
    """Gives a paragraph of the outline the style of headings that mammoth knows."""
    if not level or sum(map(len, paragraph.itertext())) > _HEADING_CHARACTERS_MAX:
        return
    properties = paragraph.find(f"{WORD}pPr")
    if properties is None:
        paragraph.insert(0, properties := etree.Element(f"{WORD}pPr"))
    style = properties.find(f"{WORD}pStyle")
    if style is None:
        style = etree.SubElement(properties, f"{WORD}pStyle")
    style.set(_VALUE, f"Heading{min(level, _HEADING_LEVELS_MAX)}")


def _join_deleted_paragraph_marks(root: etree._Element) -> None:
    """Joins paragraphs whose end is deleted or moved, and large initials, with the next one.

    The last are first, so that each run is moved once.
    """
    for paragraph in reversed(list(root.iter(f"{WORD}p"))):
        properties = paragraph.find(f"{WORD}pPr")
        marks = [] if properties is None else [mark for path in _JOINED for mark in properties.findall(path)]
        after = paragraph.getnext()
        for mark in marks:
            remove(mark)
        if marks and after is not None and after.tag == f"{WORD}p":
            place = _after_properties(after)
            after[place:place] = [child for child in paragraph if child.tag != f"{WORD}pPr"]
            remove(paragraph)


def _after_properties(paragraph: etree._Element) -> int:
    return 1 if len(paragraph) and paragraph[0].tag == f"{WORD}pPr" else 0


def _insert_drawing_text(drawing: etree._Element, find: Finder) -> None:
    """Inserts the text of SmartArt and charts after the paragraph with ``drawing``."""
    paragraph = next(drawing.iterancestors(f"{WORD}p"), None)
    if paragraph is None:
        return
    diagrams = (find(diagram.get(f"{RELATIONSHIPS}dm")) for diagram in drawing.iter(f"{DIAGRAM}relIds"))
    inserted = [new_paragraph(*smartart_lines(data)) for data in diagrams if data is not None]
    for reference in charts_of(drawing):
        if (chart := find(reference.get(f"{RELATIONSHIPS}id"))) is not None:
            inserted += [new_paragraph(*titles)] if (titles := chart_titles(chart)) else []
            inserted += map(new_table, chart_tables(chart))
    for element in reversed(inserted):
        paragraph.addnext(element)
