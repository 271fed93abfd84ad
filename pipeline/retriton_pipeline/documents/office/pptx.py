"""PPTX: each slide is a page, and its title a heading."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from itertools import islice

from pptx import Presentation
from pptx.chart.chart import Chart
from pptx.shapes.autoshape import Shape
from pptx.shapes.base import BaseShape
from pptx.shapes.graphfrm import GraphicFrame
from pptx.shapes.group import GroupShape
from pptx.slide import Slide

from retriton_pipeline.documents.model import Block, Content
from retriton_pipeline.documents.office.archive import open_archive
from retriton_pipeline.documents.office.properties import core_properties
from retriton_pipeline.documents.tables import table_block
from retriton_pipeline.documents.titles import first_heading

_SLIDES_MAX = 10_000
_POINTS_MAX = 5_000


def read_pptx(raw: bytes) -> Content:
    """Blocks, whose page is the number of the slide, and document properties. Speaker notes follow their slide.

    Raises:
        UnreadableDocument: it is of another format, encrypted, damaged or too large.
    """
    title, metadata = core_properties(open_archive(raw, "a PPTX", "ppt/presentation.xml"))
    slides = {slide.part.partname: slide for slide in islice(Presentation(io.BytesIO(raw)).slides, _SLIDES_MAX)}
    blocks = [block for page, slide in enumerate(slides.values(), 1) for block in _slide_blocks(slide, page)]
    return Content(title or first_heading(blocks), blocks, metadata)


def _slide_blocks(slide: Slide, page: int) -> Iterator[Block]:
    heading = slide.shapes.title
    if heading is not None and heading.text_frame.text.strip():
        yield Block(" ".join(heading.text_frame.text.split()), heading_level=1, page=page)
    for shape in _in_reading_order(slide.shapes):
        if heading is None or shape.shape_id != heading.shape_id:
            yield from _shape_blocks(shape, page)
    if slide.has_notes_slide and (notes := slide.notes_slide.notes_text_frame) is not None and notes.text.strip():
        yield Block(f"Notes: {_lines(notes.text)}", page=page)


def _in_reading_order(shapes: Iterable[BaseShape]) -> Iterator[BaseShape]:
    for shape in sorted(shapes, key=lambda shape: (shape.top or 0, shape.left or 0)):
        if isinstance(shape, GroupShape):
            yield from _in_reading_order(shape.shapes)
        else:
            yield shape


def _shape_blocks(shape: BaseShape, page: int) -> Iterator[Block]:
    rows: Iterable[list[str]] = []
    if isinstance(shape, GraphicFrame) and shape.has_table:
        rows = [[cell.text for cell in row.cells] for row in shape.table.rows]
    elif isinstance(shape, GraphicFrame) and shape.has_chart and not _is_huge(shape.chart):
        rows = _chart_rows(shape.chart)
    elif isinstance(shape, Shape) and shape.text_frame.text.strip():
        yield Block(_lines(shape.text_frame.text), page=page)
    if table := table_block(rows, page):
        yield table


def _is_huge(chart: Chart) -> bool:
    """Whether a chart states more points than are text: python-pptx searches all of them for each stated one."""
    space = chart.element
    stated = [
        int(value) if value.isdecimal() and len(value) < 10 else _POINTS_MAX
        for value in space.xpath("//c:ptCount/@val")
    ]
    return sum(stated) > _POINTS_MAX or space.xpath("count(//c:pt)") > _POINTS_MAX


def _chart_rows(chart: Chart) -> Iterator[list[str]]:
    for plot in chart.plots:
        yield ["", *(series.name for series in plot.series)]
        columns = [list(series.values) for series in plot.series]
        for index, category in enumerate(plot.categories):
            yield [str(category), *(str(column[index]) if index < len(column) else "" for column in columns)]


def _lines(text: str) -> str:
    return "\n".join(line.strip() for line in text.replace("\v", "\n").splitlines() if line.strip())
