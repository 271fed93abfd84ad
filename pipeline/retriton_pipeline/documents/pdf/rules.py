"""The rules on a PDF page: straight lines, thin rectangles, and the edges of rectangles that are drawn as frames."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence

from pypdfium2 import raw as pdfium

from retriton_pipeline.documents.pdf.objects import Box, PageObject, bounds, is_filled, is_stroked

_THICKNESS_MAX, _LENGTH_MIN = 3.0, 6.0  # in points
_SEGMENTS_MAX = 1_000  # of a path; drawings have more
_RECTANGLE = (4, 5, 6)  # segments
_ROW_MAX = 120.0  # points; higher rectangles are not rows
_RULES_MAX = 3_000  # of a page; maps and charts have more
_Point = tuple[float, float]


def page_rules(page: Box, objects: Sequence[PageObject]) -> list[Box]:
    """The horizontal and vertical rules among ``objects`` on ``page``, as thin boxes; none if there are too many."""
    rules: list[Box] = []
    for object_ in objects:
        if object_.type == pdfium.FPDF_PAGEOBJ_PATH:
            rules += (rule.common(page) for rule in _rules(object_.handle) if rule.overlaps(page))
        if len(rules) > _RULES_MAX:
            return []
    return rules


def page_bands(page: Box, objects: Sequence[PageObject]) -> list[Box]:
    """The upper and the lower edges of the filled rectangles on ``page`` that may be rows of a table."""
    boxes = (bounds(object_.handle) for object_ in objects if _is_filled_rectangle(object_))
    rows = [
        box for box in boxes if box and box.overlaps(page) and not _is_thin(box) and box.top - box.bottom < _ROW_MAX
    ]
    edges = (Box(row.left, y, row.right, y) for row in rows for y in (row.bottom, row.top))
    return list(edges) if len(rows) < _RULES_MAX else []


def _is_filled_rectangle(object_: PageObject) -> bool:
    is_path = object_.type == pdfium.FPDF_PAGEOBJ_PATH
    return is_path and pdfium.FPDFPath_CountSegments(object_.handle) in _RECTANGLE and is_filled(object_.handle)


def _rules(path: pdfium.FPDF_PAGEOBJECT) -> Iterator[Box]:
    segments, box = pdfium.FPDFPath_CountSegments(path), bounds(path)
    if not box or segments > _SEGMENTS_MAX:
        return
    if _is_thin(box):
        yield box
        return
    is_frame = is_stroked(path)
    for points in _parts(path, segments) if is_frame or segments > max(_RECTANGLE) else ():
        left, bottom, right, top = part = _around(points)
        if _is_thin(part):
            yield part
        elif is_frame and len(points) in _RECTANGLE and _are_corners(points, part):
            yield from (Box(x, bottom, x, top) for x in (left, right))
            yield from (Box(left, y, right, y) for y in (bottom, top))


def _is_thin(box: Box) -> bool:
    sides = (box.right - box.left, box.top - box.bottom)
    return min(sides) <= _THICKNESS_MAX and max(sides) >= _LENGTH_MIN


def _parts(path: pdfium.FPDF_PAGEOBJECT, segments: int) -> list[list[_Point]]:
    """The ends of the segments of each part of a path that does not touch the others."""
    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFPageObj_GetMatrix(path, matrix):
        return []
    parts: list[list[_Point]] = []
    x, y = ctypes.c_float(), ctypes.c_float()
    for index in range(segments):
        segment = pdfium.FPDFPath_GetPathSegment(path, index)
        type_ = pdfium.FPDFPathSegment_GetType(segment)
        if type_ == pdfium.FPDF_SEGMENT_BEZIERTO or not pdfium.FPDFPathSegment_GetPoint(segment, x, y):
            return []
        if not parts or type_ == pdfium.FPDF_SEGMENT_MOVETO:
            parts.append([])
        parts[-1].append((matrix.a * x.value + matrix.c * y.value + matrix.e,
                          matrix.b * x.value + matrix.d * y.value + matrix.f))  # fmt: skip
    return parts


def _around(points: Sequence[_Point]) -> Box:
    xs, ys = zip(*points, strict=True)
    return Box(min(xs), min(ys), max(xs), max(ys))


def _are_corners(points: Sequence[_Point], box: Box) -> bool:
    """Whether all ``points`` are corners of ``box``; otherwise it is a triangle or another shape."""
    return all(
        min(abs(x - box.left), abs(x - box.right)) + min(abs(y - box.bottom), abs(y - box.top)) < _LENGTH_MIN / 2
        for x, y in points
    )
