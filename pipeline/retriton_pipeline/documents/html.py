"""HTML: the main content as Markdown, without navigation and other boilerplate."""

from __future__ import annotations

import trafilatura

from retriton_pipeline.documents.markdown import parse_markdown
from retriton_pipeline.documents.model import Block
from retriton_pipeline.documents.plain_text import decode


def read_html(raw: bytes) -> tuple[str, list[Block]]:
    """Title and blocks. A page where no main content is found gives all its text."""
    page = decode(raw)
    tree = trafilatura.load_html(page)
    if tree is None:
        return "", []
    title = tree.findtext(".//title") or ""
    content = trafilatura.extract(
        page, output_format="markdown", include_tables=True, include_comments=False, favor_recall=True
    )
    return " ".join(title.split()), parse_markdown(content or trafilatura.html2txt(page) or "")
