"""ODP: each visible slide is a page, and its title a heading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lxml import etree

from retriton_pipeline.documents.html.blocks import html_blocks
from retriton_pipeline.documents.model import Block, Content
from retriton_pipeline.documents.office.archive import local_name
from retriton_pipeline.documents.office.list_numbers import with_displayed_number
from retriton_pipeline.documents.office.odf_attributes import attributes
from retriton_pipeline.documents.office.odf_charts import show_charts
from retriton_pipeline.documents.office.odt import open_odf, rename_elements
from retriton_pipeline.documents.office.odt_formulas import show_formulas
from retriton_pipeline.documents.office.odt_text import OdtStyles, as_displayed
from retriton_pipeline.documents.titles import first_heading

_REPEATED = ("date-time", "footer", "header", "page-number")
_SKIPPED = ("notes", "forms", "annotation", "animations", "event-listeners")
_TITLE = "title"


def read_odp(raw: bytes) -> Content:
    """Blocks, whose page is the number of the slide, and document properties. Speaker notes follow their slide.

    Hidden slides, comments, dates, footers and slide numbers are skipped.

    Raises:
        UnreadableDocument: it is of another format, encrypted, damaged or too large.
    """
    odf = open_odf(raw, "an ODP")
    styles = OdtStyles(*odf.styles, odf.root)
    blocks: list[Block] = []
    for number, page in enumerate(odf.root.iter("{*}page"), 1):
        if attributes(page).get("style-name") not in styles.hidden_pages:
            show_formulas(page, odf.archive)
            show_charts(page, odf.archive)
            as_displayed(page, styles)
            blocks += (replace(block, page=number) for block in _slide(page))
    return Content(odf.title or first_heading(blocks), blocks, odf.metadata)


def _slide(page: etree._Element) -> Iterator[Block]:
    shapes = [shape for shape in page.iterchildren(etree.Element) if local_name(shape.tag) not in _SKIPPED]
    shapes = [shape for shape in shapes if attributes(shape).get("class") not in _REPEATED]
    for shape in sorted(shapes, key=lambda shape: attributes(shape).get("class") != _TITLE):
        is_title = attributes(shape).get("class") == _TITLE
        blocks = _blocks(shape)
        yield from [Block(" ".join(" ".join(block.text for block in blocks).split()), 1)] if is_title else blocks
    for notes in page.iterchildren("{*}notes"):
        if text := "\n".join(block.text for block in _blocks(notes)):
            yield Block(f"Notes: {text}")


def _blocks(shape: etree._Element) -> list[Block]:
    rename_elements(shape)
    return list(map(with_displayed_number, html_blocks(shape)))
