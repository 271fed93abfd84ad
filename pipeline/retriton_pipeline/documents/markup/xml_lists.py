"""The numbers and bullets of list items in XML, as DocBook, DITA, JATS and TEI show them."""

from __future__ import annotations

from lxml import etree

from retriton_pipeline.documents.html.numbering import numeral
from retriton_pipeline.documents.office.archive import local_name

_ITEMS = {"li", "item", "listitem", "list-item"}
_ORDERED, _BULLETED = {"ol", "orderedlist"}, {"ul", "itemizedlist", "list", "simplelist"}
_KIND_NAMES = ("list-type", "numeration", "type", "rend")  # of attributes
_KINDS = {
    "loweralpha": "a", "upperalpha": "A", "lowerroman": "i", "upperroman": "I", "arabic": "1", "alpha-lower": "a",
    "alpha-upper": "A", "roman-lower": "i", "roman-upper": "I", "order": "1", "ordered": "1", "numbered": "1",
    "a": "a", "A": "A", "i": "i", "I": "I",
}  # fmt: skip
_LEVELS_MAX = 3  # from an item to its first text


class XmlMarkers:
    """The markers of the lists of a document. Each is returned once, for the first text of its item."""

    def __init__(self) -> None:
        self._markers: dict[etree._Element, str] = {}
        self._lists: set[etree._Element] = set()

    def of(self, text: etree._Element) -> str:
        """The marker before the element ``text``; empty if it does not begin an item of a list."""
        item: etree._Element | None = text
        for _ in range(_LEVELS_MAX):
            if item is None or local_name(item.tag).lower() in _ITEMS:
                break
            item = item.getparent() if next(item.itersiblings(etree.Element, preceding=True), None) is None else None
        parent = item.getparent() if item is not None else None
        if parent is not None and parent not in self._lists:
            self._lists.add(parent)
            self._markers |= _markers(parent)
        return self._markers.pop(item, "") if item is not None else ""


def _markers(parent: etree._Element) -> dict[etree._Element, str]:
    """The markers of the items of ``parent``; none if it is no list."""
    name = local_name(parent.tag).lower()
    of = {local_name(key): str(value) for key, value in parent.attrib.items()}
    kind = next((_KINDS[of[key]] for key in _KIND_NAMES if of.get(key) in _KINDS), "1" if name in _ORDERED else "")
    items = [child for child in parent.iterchildren(etree.Element) if local_name(child.tag).lower() in _ITEMS]
    if name not in _ORDERED | _BULLETED:
        return {}
    return {item: f"{numeral(number, kind)}. " if kind else "- " for number, item in enumerate(items, 1)}
