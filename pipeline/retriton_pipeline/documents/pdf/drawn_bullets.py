"""Bullets of lists on a PDF page that are drawn as shapes, not as text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pypdfium2 import raw as pdfium

from retriton_pipeline.documents.pdf.line import Line, Word
from retriton_pipeline.documents.pdf.objects import Box, PageObject, bounds

_COMPARISONS_MAX = 500_000
_SIZE_MIN, _SIZE_MAX = 0.15, 0.7  # in font sizes
_NARROWNESS_MAX = 1.4  # the longer side in shorter ones
_DISTANCE_MIN, _DISTANCE_MAX = 0.2, 2.5  # from the text, in font sizes
_HEIGHT_MIN, _HEIGHT_MAX = 0.2, 0.7  # of the middle, in heights of the line
_WORD = re.compile(r"[^\W\d_]{3}|[\u2e80-\uffdc]")  # points of drawings have shorter labels
_BULLETS_MIN = 2  # of a page; a single dot is a part of a drawing


def with_drawn_bullets(lines: list[Line], objects: Sequence[PageObject]) -> list[Line]:
    """``lines`` with a bullet (•) in front of those that have a small round or square shape there."""
    paths = [object_ for object_ in objects if object_.type == pdfium.FPDF_PAGEOBJ_PATH]
    largest = _SIZE_MAX * max((line.font_size for line in lines), default=0.0)
    shapes = [shape for path in paths if (shape := bounds(path.handle)) and _is_dot(shape, largest)]
    if len(shapes) * len(lines) > _COMPARISONS_MAX:
        return lines
    bullets = {
        number: shape for shape in shapes for number, line in enumerate(lines) if _is_bullet(shape, line)
    }  # fmt: skip
    if len(bullets) < _BULLETS_MIN:
        return lines
    return [_with_bullet(line, bullets[number]) if number in bullets else line for number, line in enumerate(lines)]


def _is_dot(shape: Box, largest: float) -> bool:
    width, height = shape.right - shape.left, shape.top - shape.bottom
    return 0 < max(width, height) < min(largest, _NARROWNESS_MAX * min(width, height))


def _is_bullet(shape: Box, line: Line) -> bool:
    """Whether ``shape`` is in front of the small letters of ``line``."""
    height = ((shape.bottom + shape.top) / 2 - line.bottom) / (line.top - line.bottom or 1)
    size = (shape.top - shape.bottom) / line.font_size
    distance = (line.left - shape.right) / line.font_size
    return (
        not line.rotation
        and _SIZE_MIN < size < _SIZE_MAX
        and _DISTANCE_MIN < distance < _DISTANCE_MAX
        and _HEIGHT_MIN < height < _HEIGHT_MAX
        and _WORD.search(line.text) is not None
    )


def _with_bullet(line: Line, shape: Box) -> Line:
    return replace(line, words=(Word("•", shape.left, shape.right), *line.words))
