"""The margins of the pages of a PDF, where running headers, running footers and page numbers are."""

from __future__ import annotations

from retriton_pipeline.documents.pdf.line import Line

MARGIN_LINES = 3  # the first and the last lines of a page
PAGES_MIN = 3
HEIGHT_STEP = 3.0  # points within which lines are at the same height


def margin(lines: list[Line]) -> list[Line]:
    """The first and the last lines of a page."""
    by_height = sorted((line for line in lines if not line.rotation), key=lambda line: line.bottom)
    return by_height[:MARGIN_LINES] + by_height[MARGIN_LINES:][-MARGIN_LINES:]


def pages_min(pages: int) -> int:
    """The number of pages on which something is repeated that is no coincidence; of two pages, both."""
    return min(max(pages, 2), PAGES_MIN)
