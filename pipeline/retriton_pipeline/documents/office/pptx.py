"""PPTX: each visible slide is a page, and its title a heading."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import islice

from pptx import Presentation
from pptx.shapes.autoshape import Shape
from pptx.shapes.base import BaseShape
from pptx.shapes.graphfrm import GraphicFrame
from pptx.slide import Slide

from retriton_pipeline.documents.completeness import characters
from retriton_pipeline.documents.model import Block, Content
from retriton_pipeline.documents.office.archive import open_archive
from retriton_pipeline.documents.office.charts import chart_tables, chart_titles, charts_of
from retriton_pipeline.documents.office.drawings import smartart_lines
from retriton_pipeline.documents.office.ooxml import (
    DIAGRAM,
    RELATIONSHIPS,
    Finder,
    part_finder,
    transitional_file,
)
from retriton_pipeline.documents.office.parallel_lines import split_rows
from retriton_pipeline.documents.office.pptx_lists import text_lines
from retriton_pipeline.documents.office.pptx_tables import table_rows
from retriton_pipeline.documents.office.pptx_text import is_hidden, resolve_alternatives, visible_shapes
from retriton_pipeline.documents.office.properties import core_properties
from retriton_pipeline.documents.office.unseen_text import remove_struck_text
from retriton_pipeline.documents.tables import table_block
from retriton_pipeline.documents.titles import first_heading

_SLIDES_MAX = 10_000


def read_pptx(raw: bytes) -> Content:
    """Blocks, whose page is the number of the slide, and document properties. Speaker notes follow their slide.

    Hidden slides, struck text, dates, footers and slide numbers are skipped.

    Raises:
        UnreadableDocument: it is of another format, encrypted, damaged or too large.
    """
    archive = open_archive(raw, "a PPTX", "ppt/presentation.xml")
    title, metadata = core_properties(archive)
    presentation = Presentation(io.BytesIO(transitional_file(raw, archive)))
    size = presentation.slide_width or 0, presentation.slide_height or 0
    slides = {slide.part.partname: slide for slide in islice(presentation.slides, _SLIDES_MAX)}
    drawn: set[str] = set()
    blocks: list[Block] = []
    shown = 0
    for page, slide in enumerate(slides.values(), 1):
        if not is_hidden(slide):
            remove_struck_text(slide.element)
            shown += sum(characters(text.text or "") for text in slide.element.iter("{*}t"))
            blocks += _slide_blocks(slide, page, size, part_finder(archive, slide.part.partname.lstrip("/"), drawn))
    return Content(title or first_heading(blocks), blocks, metadata, visible_characters=shown)


def _slide_blocks(slide: Slide, page: int, size: tuple[int, int], find: Finder) -> Iterator[Block]:
    resolve_alternatives(slide)
    heading = slide.shapes.title
    if heading is not None and heading.text_frame.text.strip():
        yield Block(" ".join(heading.text_frame.text.split()), heading_level=1, page=page)
    for shape in visible_shapes(slide, *size):
        if heading is None or shape.shape_id != heading.shape_id:
            yield from _shape_blocks(shape, page, find)
    if slide.has_notes_slide:
        remove_struck_text(slide.notes_slide.element)
    if slide.has_notes_slide and (notes := slide.notes_slide.notes_text_frame) is not None and notes.text.strip():
        yield Block(f"Notes: {text_lines(notes)}", page=page)


def _shape_blocks(shape: BaseShape, page: int, find: Finder) -> Iterator[Block]:
    if isinstance(shape, GraphicFrame):
        yield from _graphic_blocks(shape, page, find)
    elif isinstance(shape, Shape) and (text := text_lines(shape.text_frame)):
        yield Block(text, page=page)


def _graphic_blocks(frame: GraphicFrame, page: int, find: Finder) -> Iterator[Block]:
    tables: list[list[list[str]]] = []
    if frame.has_table:
        tables.append(list(split_rows(table_rows(frame.table))))
    for diagram in frame.element.iter(f"{DIAGRAM}relIds"):
        data = find(diagram.get(f"{RELATIONSHIPS}dm"))
        if data is not None and (lines := smartart_lines(data)):
            yield Block("\n".join(lines), page=page)
    for reference in charts_of(frame.element):
        if (chart := find(reference.get(f"{RELATIONSHIPS}id"))) is not None:
            if titles := chart_titles(chart):
                yield Block("\n".join(titles), page=page)
            tables += chart_tables(chart)
    yield from filter(None, (table_block(rows, page) for rows in tables))
