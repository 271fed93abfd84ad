"""Parses HTML."""

from __future__ import annotations

import re

from lxml import etree, html

from retriton_pipeline.errors import UnreadableDocument

_LONG_TAG = re.compile(r"<[a-zA-Z][^<>]{50000,}")
_QUOTED = re.compile(r""""[^"]*+"|'[^']*+'""")
_ATTRIBUTES_MAX = 5_000
_TABLE_ROLES = {
    "table": "table", "grid": "table", "treegrid": "table", "row": "tr", "cell": "td", "gridcell": "td",
    "columnheader": "th", "rowheader": "th", "rowgroup": "tbody",
}  # fmt: skip


def _require_few_attributes(page: str) -> None:
    """Refuses elements with many attributes: libxml2 compares each with all before it."""
    attributes = max((len(_QUOTED.sub("", match[0]).split()) for match in _LONG_TAG.finditer(page)), default=0)
    if attributes > _ATTRIBUTES_MAX:
        raise UnreadableDocument(f"an element has {attributes} attributes, more than the limit of {_ATTRIBUTES_MAX}")


def parse_html(page: str) -> html.HtmlElement | None:
    """The tree of ``page``, without comments; None if the page is empty.

    Elements whose roles are those of tables are elements of tables.

    Raises:
        UnreadableDocument: an element has too many attributes.
    """
    _require_few_attributes(page)
    try:
        parser = html.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True)
        tree = html.document_fromstring(page.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:
        return None
    for element in tree.iter("div", "span"):
        element.tag = _TABLE_ROLES.get(element.get("role", ""), element.tag)
    return tree
