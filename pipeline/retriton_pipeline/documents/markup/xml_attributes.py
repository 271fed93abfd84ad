"""Which attributes of XML elements are text that people search.

- All attributes of an element that has nothing else, besides styles and places in a drawing.
- Of any element, those named as texts are (``name``, ``title``), dates, and values of several words or of a long one.
- Of an element that has a name, or that consists of fields, all others, too.
- Never identifiers, addresses, namespaces, kinds and sizes, except in an element that has nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from retriton_pipeline.documents.html.fragments import shown_text
from retriton_pipeline.documents.office.archive import local_name

_NAMES = ("name", "label", "title", "displayname", "display-name", "caption")
_TEXTS = {
    *_NAMES, "alt", "author", "category", "comment", "content", "creator", "desc", "description", "heading", "keywords",
    "message", "note", "subject", "summary", "text", "tooltip",
}  # fmt: skip
PARAGRAPHS = {"p", "para", "simpara", "paragraph", "s", "l", "seg", "programlisting", "screen", "codeblock", "pre"}
_UNITS = ("unit", "units", "uom", "currency", "currencyid", "unitcode")
_UNIT_CHARACTERS_MAX = 20
_TECHNICAL = {
    "align", "base", "bgcolor", "border", "bottom", "charset", "checksum", "class", "colname", "colnum", "cols",
    "colsep", "colspan", "colwidth", "cx", "cy", "depth", "encoding", "file", "font", "format", "frame", "guid", "hash",
    "height", "indent", "index", "key", "lang", "left", "level", "link", "margin", "md5", "mime", "mimetype",
    "morerows", "nameend", "namest", "order", "package", "padding", "path", "pos", "position", "rel", "rend", "rid",
    "right", "role", "rotation", "rows", "rowsep", "rowspan", "scale", "schemalocation", "sha1", "sha256", "size",
    "space", "src", "style", "tabstyle", "target", "top", "uid", "uuid", "valign", "version", "width", "x", "xmlns",
    "y", "z",
}  # fmt: skip
_TECHNICAL_END = re.compile(
    r"(?:^|[_.-])(?:id|ids|idref|idrefs|ref|refid|uri|url|href|type)$|[a-z](?:I[dD]|Ref|U[rR][iIlL]|Type)$"
)
_PLACE, _LOOKS = {"x", "y"}, ("style", "class")
_KINDS = {"type", "package", "path", "format", "mime", "mimetype", "file"}  # which can be names that people search
_DRAWING = "{http://www.w3.org/2000/svg}"
_XML = ("{http://www.w3.org/XML/1998/namespace}", "{http://www.w3.org/2001/XMLSchema-instance}")
_ADDRESS = re.compile(r"[a-zA-Z][\w+.-]*://|(?:urn|data|mailto):|#|\.{0,2}/")
_CODE = re.compile(r"\{?[\da-fA-F-]{12,}\}?|[\w+/=-]{64,}")  # digests, identifiers, data
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ][\d:.]{4,15}(?:Z|[+-][\d:]{4,5})?)?")
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_LONG_CHARACTERS_MIN = 12
_MARKS = {"b", "i", "u", "g", "em", "strong", "font", "tt", "a", "br"}  # in the text of a field


def attribute_lines(element: etree._Element, is_alone: bool, is_record: bool) -> Iterator[str]:
    """The attributes of ``element`` that are text, as ``name: text``, except the label and the unit of its own text.

    Args:
        element: the element.
        is_alone: whether it has nothing but attributes.
        is_record: whether it consists of fields.
    """
    of = dict(_attributes(element))
    is_record = is_record or any(name.lower() in _NAMES for name in of)
    is_alone = is_alone and not of.keys() >= _PLACE
    is_field = bool(field_name(element))
    for name, value in of.items():
        if is_field and name.lower() in (*_NAMES, *_UNITS):
            continue
        is_value = is_record and not _is_technical(name) and not _is_code(value)
        if (is_alone and name.lower() not in _LOOKS) or is_value or _is_text(name, value):
            yield f"{name}: {value}"


def _attributes(element: etree._Element) -> Iterator[tuple[str, str]]:
    """The names and the values of the attributes that are not addresses; of those with a namespace, only texts."""
    is_drawn = str(element.tag).startswith(_DRAWING)
    for key, value in () if is_drawn else element.attrib.items():
        name, text = local_name(key), " ".join(shown_text(str(value)).split())
        is_foreign = str(key).startswith("{") and (str(key).startswith(_XML) or name.lower() not in _TEXTS)
        if text and not is_foreign and not _ADDRESS.match(text):
            yield name, text


def _is_technical(name: str) -> bool:
    return name.lower() in _TECHNICAL or _TECHNICAL_END.search(name) is not None


def _is_code(value: str) -> bool:
    return _CODE.fullmatch(value) is not None and not value.isdecimal()


def _is_text(name: str, value: str) -> bool:
    if _is_technical(name) and name.lower() not in _KINDS:
        return False
    if name.lower() in _TEXTS or _DATE.fullmatch(value):
        return any(map(str.isalnum, value))
    words = _LETTERS.findall(value)
    is_long = " " in value or (len(value) >= _LONG_CHARACTERS_MIN and not _is_code(value))
    return bool(words) and is_long


def field_name(element: etree._Element) -> str:
    """The name that labels the text of ``element``, by an attribute; empty if there is none, or no text."""
    is_marked = all(local_name(child.tag) in _MARKS for child in element.iterchildren(etree.Element))
    is_field = is_marked and any(text.strip() for text in map(str, element.itertext()))
    named = (text for name, text in _attributes(element) if name.lower() in _NAMES)
    return next(named, "") if is_field and local_name(element.tag).lower() not in PARAGRAPHS else ""


def field_unit(element: etree._Element) -> str:
    """The unit or the currency of a field, with a space before it; empty if it states none."""
    if len(element):
        return ""
    units = (str(value).strip() for key, value in element.attrib.items() if local_name(key).lower() in _UNITS)
    return next((f" {unit}" for unit in units if 0 < len(unit) <= _UNIT_CHARACTERS_MAX), "")
