"""Parses HTML."""

from __future__ import annotations

from lxml import etree, html


def parse_html(page: str) -> html.HtmlElement | None:
    """The tree of ``page``, without comments; None if the page is empty."""
    try:
        parser = html.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True)
        return html.document_fromstring(page.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:
        return None
