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
_LEVELS = {str(level): f"h{level}" for level in range(1, 7)}
_CODE_CLASS = "fragment"  # of Doxygen, whose lines are elements


def _require_few_attributes(page: str) -> None:
    """Refuses elements with many attributes: libxml2 compares each with all before it."""
    attributes = max((len(_QUOTED.sub("", match[0]).split()) for match in _LONG_TAG.finditer(page)), default=0)
    if attributes > _ATTRIBUTES_MAX:
        raise UnreadableDocument(f"an element has {attributes} attributes, more than the limit of {_ATTRIBUTES_MAX}")


def parse_html(page: str) -> html.HtmlElement | None:
    """The tree of ``page``, without comments; None if the page is empty.

    Elements whose roles are those of tables or headings are elements of tables or headings.

    Raises:
        UnreadableDocument: an element has too many attributes.
    """
    _require_few_attributes(page)
    try:
        parser = html.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True)
        tree = html.document_fromstring(page.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:
        return None
    for element in tree.iter("div", "span", "p", "script"):
        element.tag = _shown_tag(element)
    return tree


def _shown_tag(element: etree._Element) -> str:
    """The name of the element as which ``element`` is shown."""
    role, tag = element.get("role", ""), str(element.tag)
    if tag == "script":
        return _formula_tag(element)
    if role == "heading":
        return _LEVELS.get(element.get("aria-level", "2"), tag)
    is_code = element.get("class") == _CODE_CLASS and next(element.iterchildren("div"), None) is not None
    return "pre" if is_code else _TABLE_ROLES.get(role, tag) if tag != "p" else tag


def _formula_tag(script: etree._Element) -> str:
    """The name for a formula that is written in a script, unless it is drawn beside it in a saved page."""
    if not script.get("type", "").startswith("math/tex"):
        return "script"
    before = script.getprevious()
    is_drawn = before is not None and before.get("class", "").startswith("MathJax")
    return "script" if is_drawn else "div" if "display" in script.get("type", "") else "span"
