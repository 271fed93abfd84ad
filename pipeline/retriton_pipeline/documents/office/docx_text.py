"""Rewrites a part of a DOCX such that mammoth reads what a reader of the document sees.

Mammoth does not know hidden text, numbers of paragraphs, fields in one element, check boxes as text, SmartArt, charts
and formulas.
"""

from __future__ import annotations

from copy import deepcopy

from lxml import etree

from retriton_pipeline.documents.office.docx_fields import plain_fields
from retriton_pipeline.documents.office.docx_numbering import Numbering
from retriton_pipeline.documents.office.docx_styles import Styles, style_of
from retriton_pipeline.documents.office.docx_symbols import is_out_of_sight, map_symbols
from retriton_pipeline.documents.office.drawings import chart_tables, chart_title, smartart_lines
from retriton_pipeline.documents.office.formulas import MATH, formula_text
from retriton_pipeline.documents.office.list_numbers import NUMBER_MARK
from retriton_pipeline.documents.office.ooxml import CHART, COMPATIBILITY, DIAGRAM, RELATIONSHIPS, WORD, Finder, is_on
from retriton_pipeline.documents.office.parallel_lines import parallel_lines

_VALUE = f"{WORD}val"
_TEXT_BOX = f"{WORD}txbxContent"
_SAME = {"cr": "br", "ptab": "tab"}  # which mammoth does not know


def visible(root: etree._Element, styles: Styles, numbering: Numbering, find: Finder) -> etree._Element:
    """``root`` with everything that is displayed as runs, paragraphs and tables, without hidden and deleted text.

    Args:
        root: of a part with paragraphs, which is changed.
        styles: the styles of the document.
        numbering: counts the paragraphs.
        find: the root of the part of a relation, such as a chart.
    """
    _resolve_alternatives(root)
    plain_fields(root)
    for kind, usual in _SAME.items():
        for element in root.iter(f"{WORD}{kind}"):
            element.tag = f"{WORD}{usual}"
    map_symbols(root)
    _remove_hidden(root, styles)
    _join_deleted_paragraph_marks(root)
    for formula in list(root.iter(f"{MATH}oMath")):
        _replace(formula, run(formula_text(formula)))
    etree.strip_tags(root, f"{MATH}oMathPara")
    for paragraph in root.iter(f"{WORD}p"):
        label = numbering.label(paragraph)
        if label is not None and any(text.strip() for text in paragraph.itertext()):
            paragraph.insert(_after_properties(paragraph), run(NUMBER_MARK + (f"{label} " if label else "")))
    for drawing in reversed(list(root.iter(f"{WORD}drawing"))):
        _insert_drawing_text(drawing, find)
    for row in list(root.iter(f"{WORD}tr")):
        _split_parallel_lines(row)
    return root


def run(text: str) -> etree._Element:
    """A run with ``text``."""
    made = etree.Element(f"{WORD}r")
    etree.SubElement(made, f"{WORD}t").text = text
    return made


def _replace(element: etree._Element, replacement: etree._Element) -> None:
    replacement.tail = element.tail
    if (parent := element.getparent()) is not None:
        parent.replace(element, replacement)


def _resolve_alternatives(root: etree._Element) -> None:
    """Keeps one alternative of each content, and text boxes in the only form that mammoth reads."""
    for alternative in list(root.iter(f"{COMPATIBILITY}AlternateContent")):
        branches = list(alternative.iter(f"{COMPATIBILITY}Fallback", f"{COMPATIBILITY}Choice"))
        with_text = [branch for branch in branches if next(branch.iter(_TEXT_BOX), None) is not None]
        fallbacks = [branch for branch in with_text if branch.tag.endswith("Fallback")]
        kept = (fallbacks or with_text or branches)[:1]
        for child in list(kept[0]) if kept else []:
            alternative.addprevious(child)
        _remove(alternative)
    for drawing in list(root.iter(f"{WORD}drawing")):
        if boxes := list(drawing.iter(_TEXT_BOX)):
            picture = etree.Element(f"{WORD}pict")
            picture.extend(boxes)
            _replace(drawing, picture)


def _remove_hidden(root: etree._Element, styles: Styles) -> None:
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
    for element in hidden:
        _remove(element)
    for row in list(root.iter(f"{WORD}tr")):
        if is_on(row.find(f"{WORD}trPr/{WORD}hidden"), _VALUE):
            _remove(row)
    for cell in list(root.iter(f"{WORD}tc")):
        if cell.find(f"{WORD}tcPr/{WORD}cellDel") is not None:
            cell[:] = [etree.Element(f"{WORD}p")]


def _remove(element: etree._Element) -> None:
    if (parent := element.getparent()) is not None:
        parent.remove(element)


def _join_deleted_paragraph_marks(root: etree._Element) -> None:
    """Joins paragraphs whose end is deleted with the next one; the last first, so that each run is moved once."""
    for paragraph in reversed(list(root.iter(f"{WORD}p"))):
        marks = paragraph.find(f"{WORD}pPr/{WORD}rPr")
        deletion = None if marks is None else marks.find(f"{WORD}del")
        after = paragraph.getnext()
        if marks is None or deletion is None:
            continue
        marks.remove(deletion)
        if after is not None and after.tag == f"{WORD}p":
            place = _after_properties(after)
            after[place:place] = [child for child in paragraph if child.tag != f"{WORD}pPr"]
            _remove(paragraph)


def _after_properties(paragraph: etree._Element) -> int:
    return 1 if len(paragraph) and paragraph[0].tag == f"{WORD}pPr" else 0


def _insert_drawing_text(drawing: etree._Element, find: Finder) -> None:
    """Inserts the text of SmartArt and charts after the paragraph with ``drawing``."""
    paragraph = next(drawing.iterancestors(f"{WORD}p"), None)
    if paragraph is None:
        return
    diagrams = (find(diagram.get(f"{RELATIONSHIPS}dm")) for diagram in drawing.iter(f"{DIAGRAM}relIds"))
    inserted = [_paragraph(*smartart_lines(data)) for data in diagrams if data is not None]
    for reference in drawing.iter(f"{CHART}chart"):
        if (chart := find(reference.get(f"{RELATIONSHIPS}id"))) is not None:
            inserted += [_paragraph(title)] if (title := chart_title(chart)) else []
            inserted += map(_table, chart_tables(chart))
    for element in reversed(inserted):
        paragraph.addnext(element)


def _paragraph(*lines: str) -> etree._Element:
    made = etree.Element(f"{WORD}p")
    for line in lines:
        made.append(run(line))
        etree.SubElement(made[-1], f"{WORD}br")
    return made


def _table(rows: list[list[str]]) -> etree._Element:
    table = etree.Element(f"{WORD}tbl")
    for texts in rows:
        row = etree.SubElement(table, f"{WORD}tr")
        for text in texts:
            etree.SubElement(row, f"{WORD}tc").append(_paragraph(text))
    return table


def _split_parallel_lines(row: etree._Element) -> None:
    """Splits a row whose cells have equally many short lines, which belong together, into rows."""
    cells = list(row.iterchildren(f"{WORD}tc"))
    is_plain = all(child.tag in (f"{WORD}p", f"{WORD}tcPr") for cell in cells for child in cell)
    is_merged = any(cell.find(f"{WORD}tcPr/{WORD}vMerge") is not None for cell in cells)
    is_first = not any(True for _ in row.itersiblings(f"{WORD}tr", preceding=True))
    if not is_plain or is_merged or is_first:
        return
    lines = [[line for paragraph in cell.iterchildren(f"{WORD}p") for line in _lines(paragraph)] for cell in cells]
    texts = [["".join(map(str, line.itertext())).strip() for line in column] for column in lines]
    for number in range(parallel_lines(texts) - 1, -1, -1):
        made = etree.Element(f"{WORD}tr")
        for cell, column, words in zip(cells, lines, texts, strict=True):
            made.append(_cell(cell, column[number] if len(column) > 1 else _paragraph(*words)))
        row.addnext(made)
    if parallel_lines(texts):
        _remove(row)


def _lines(paragraph: etree._Element) -> list[etree._Element]:
    """``paragraph``, or a paragraph for each of its lines if it has line breaks."""
    if next(paragraph.iter(f"{WORD}br"), None) is None:
        return [paragraph]
    lines = [etree.Element(f"{WORD}p")]
    for part in (part for element in paragraph.iter(f"{WORD}r") for part in element if part.tag != f"{WORD}r"):
        if part.tag == f"{WORD}br":
            lines.append(etree.Element(f"{WORD}p"))
        else:
            etree.SubElement(lines[-1], f"{WORD}r").append(deepcopy(part))
    return lines


def _cell(original: etree._Element, paragraph: etree._Element) -> etree._Element:
    made = etree.Element(f"{WORD}tc")
    if (span := original.find(f"{WORD}tcPr/{WORD}gridSpan")) is not None:
        etree.SubElement(made, f"{WORD}tcPr").append(deepcopy(span))
    made.append(paragraph)
    return made
