"""What a slide displays: its visible shapes in reading order, and their paragraphs with their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lxml import etree
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.oxml import parse_xml
from pptx.shapes.autoshape import Shape
from pptx.shapes.base import BaseShape
from pptx.shapes.graphfrm import GraphicFrame
from pptx.shapes.group import GroupShape
from pptx.slide import Slide
from pptx.text.text import TextFrame

from retriton_pipeline.documents.numerals import numeral
from retriton_pipeline.documents.office.formulas import MATH, formula_text
from retriton_pipeline.documents.office.ooxml import COMPATIBILITY, DRAWING
from retriton_pipeline.documents.office.shape_order import in_reading_order

_REPEATED = (PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.HEADER, PP_PLACEHOLDER.SLIDE_NUMBER)
_REPEATED_FIELDS = ("slidenum", "datetime")
_TRUE = ("1", "true")
_FORMULA = "{http://schemas.microsoft.com/office/drawing/2010/main}m"
_RUN = f'<a:r xmlns:a="{DRAWING[1:-1]}"><a:t/></a:r>'
_NUMBERED = re.compile(r"(arabic|alphaLc|alphaUc|romanLc|romanUc)(Period|ParenR|ParenBoth|Plain)")
_STYLES = {"alphaLc": "lowerLetter", "alphaUc": "upperLetter", "romanLc": "lowerRoman", "romanUc": "upperRoman"}
_FORMS = {"Period": "{}.", "ParenR": "{})", "ParenBoth": "({})", "Plain": "{}"}


def is_hidden(slide: Slide) -> bool:
    """Whether presentations skip ``slide``."""
    return slide.element.get("show") in ("0", "false")


def resolve_alternatives(slide: Slide) -> None:
    """Replaces alternative contents by the first, which has text and formulas, and formulas by runs.

    python-pptx ignores both.
    """
    for alternative in list(slide.element.iter(f"{COMPATIBILITY}AlternateContent")):
        for child in list(alternative[0]) if len(alternative) else []:
            alternative.addprevious(child)
        alternative.getparent().remove(alternative)
    for formula in list(slide.element.iter(_FORMULA)):
        run = parse_xml(_RUN)
        run[0].text = " ".join(formula_text(part) for part in formula.iter(f"{MATH}oMath"))
        formula.getparent().replace(formula, run)


def visible_shapes(slide: Slide, width: int, height: int) -> Iterator[BaseShape]:
    """The shapes of ``slide`` in reading order, without hidden and repeated ones and those outside of the slide.

    Args:
        slide: the slide.
        width: its width.
        height: its height, in the same unit as the positions of shapes.
    """
    return _visible(shape for shape in slide.shapes if not _is_outside(shape, width, height))


def _visible(shapes: Iterable[BaseShape]) -> Iterator[BaseShape]:
    for shape in in_reading_order([shape for shape in shapes if _can_have_text(shape)]):
        if isinstance(shape, GroupShape):
            yield from _visible(shape.shapes)
        else:
            yield shape


def _can_have_text(shape: BaseShape) -> bool:
    if isinstance(shape, Shape) and not shape.text_frame.text.strip():
        return False
    is_holder = isinstance(shape, Shape | GraphicFrame | GroupShape)
    return is_holder and not _is_hidden_shape(shape) and not _is_repeated(shape)


def _is_hidden_shape(shape: BaseShape) -> bool:
    properties = next(shape.element.iter("{*}cNvPr"), None)
    return properties is not None and properties.get("hidden") in _TRUE


def _is_outside(shape: BaseShape, width: int, height: int) -> bool:
    left, top = shape.left or 0, shape.top or 0
    return left >= width or top >= height or left + (shape.width or 1) <= 0 or top + (shape.height or 1) <= 0


def _is_repeated(shape: BaseShape) -> bool:
    """Whether ``shape`` is a date, a footer or a slide number, or holds nothing but a field of these."""
    if shape.is_placeholder and shape.placeholder_format.type in _REPEATED:
        return True
    fields = list(shape.element.iter(f"{DRAWING}fld"))
    texts = [text.text or "" for text in shape.element.iter(f"{DRAWING}t")]
    return (
        bool(fields)
        and all(field.get("type", "").startswith(_REPEATED_FIELDS) for field in fields)
        and "".join(texts).strip() == "".join(field.findtext(f"{DRAWING}t") or "" for field in fields).strip()
    )


def text_lines(frame: TextFrame) -> str:
    """The lines of ``frame``, with the numbers of numbered paragraphs."""
    lines: list[str] = []
    counts: dict[int, tuple[str, int]] = {}  # by level: the numbering of the last paragraph, and its number
    for paragraph in frame.paragraphs:
        number = _number(paragraph._p, paragraph.level, counts)
        text = paragraph.text.replace("\v", "\n")
        texts = [line.strip() for line in text.splitlines() if line.strip()]
        lines += [f"{number} {texts[0]}".strip(), *texts[1:]] if texts else []
    return "\n".join(lines)


def _number(paragraph: etree._Element, level: int, counts: dict[int, tuple[str, int]]) -> str:
    for deeper in [known for known in counts if known > level]:
        del counts[deeper]
    automatic = paragraph.find(f"{DRAWING}pPr/{DRAWING}buAutoNum")
    match = None if automatic is None else _NUMBERED.fullmatch(automatic.get("type", ""))
    if automatic is None or match is None:
        counts.pop(level, None)
        return ""
    start = automatic.get("startAt", "1")
    key = f"{match[0]} {start}"
    before, count = counts.get(level, ("", 0))
    count = count + 1 if before == key else int(start) if start.isdecimal() and len(start) < 6 else 1
    counts[level] = (key, count)
    return _FORMS[match[2]].format(numeral(count, _STYLES.get(match[1], "decimal")))
