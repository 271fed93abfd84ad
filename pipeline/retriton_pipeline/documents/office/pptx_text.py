"""What a slide displays: its visible shapes in reading order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.oxml import parse_xml
from pptx.shapes.autoshape import Shape
from pptx.shapes.base import BaseShape
from pptx.shapes.graphfrm import GraphicFrame
from pptx.shapes.group import GroupShape
from pptx.slide import Slide

from retriton_pipeline.documents.office.formulas import MATH, formula_text
from retriton_pipeline.documents.office.ooxml import COMPATIBILITY, DRAWING
from retriton_pipeline.documents.office.shape_order import in_reading_order

_REPEATED = (PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.HEADER, PP_PLACEHOLDER.SLIDE_NUMBER)
_REPEATED_FIELDS = ("slidenum", "datetime")
_TRUE = ("1", "true")
_FORMULA = "{http://schemas.microsoft.com/office/drawing/2010/main}m"
_DRAWN_BY_HAND = "{*}contentPart"
_RUN = f'<a:r xmlns:a="{DRAWING[1:-1]}"><a:t/></a:r>'


def is_hidden(slide: Slide) -> bool:
    """Whether presentations skip ``slide``."""
    return slide.element.get("show") in ("0", "false")


def resolve_alternatives(slide: Slide) -> None:
    """Replaces alternative contents by the first, which has text and formulas, and formulas by runs.

    python-pptx ignores both. It fails on drawings by hand, for which there is an alternative.
    """
    for alternative in list(slide.element.iter(f"{COMPATIBILITY}AlternateContent")):
        usable = [branch for branch in alternative if next(branch.iter(_DRAWN_BY_HAND), None) is None]
        for child in list(usable[0]) if usable else []:
            alternative.addprevious(child)
        alternative.getparent().remove(alternative)
    for drawn in list(slide.element.iter(_DRAWN_BY_HAND)):
        drawn.getparent().remove(drawn)
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
