"""Property lists of macOS and iOS in XML, whose names and values are siblings."""

from __future__ import annotations

from lxml import etree

from retriton_pipeline.documents.model import Block
from retriton_pipeline.documents.office.archive import local_name
from retriton_pipeline.documents.records.nested import nested_blocks

_BOOLEANS = {"true": True, "false": False}


def property_list_blocks(root: etree._Element) -> list[Block]:
    """The values of a property list with their names, as those of a JSON file."""
    return [block for element in root.iterchildren(etree.Element) for block in nested_blocks("", _value(element))]


def _value(element: etree._Element) -> object:
    """The value of ``element``; None for data."""
    name, children = local_name(element.tag), list(element.iterchildren(etree.Element))
    if name == "array":
        return list(map(_value, children))
    if name == "dict":
        pairs = zip(children[::2], children[1::2], strict=False)
        return {"".join(map(str, key.itertext())).strip(): _value(value) for key, value in pairs}
    return _BOOLEANS.get(name, None if name == "data" else (element.text or "").strip())
