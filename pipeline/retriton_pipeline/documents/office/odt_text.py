"""Rewrites the body of an ODT as a reader sees it: with numbers of lists, notes apart, nothing hidden or struck."""

from __future__ import annotations

from lxml import etree

from retriton_pipeline.documents.office.archive import local_name
from retriton_pipeline.documents.office.odf_attributes import attributes
from retriton_pipeline.documents.office.odt_lists import Level, level_of, number_lists

_HIDDEN = ("hidden-text", "hidden-paragraph")
_FORMATS = ("{*}number-style", "{*}text-style", "{*}currency-style", "{*}percentage-style", "{*}date-style")
_KEPT = ("family", "data-style-name", "list-style-name")
_PROPERTIES = ("{*}text-properties", "{*}table-cell-properties", "{*}drawing-page-properties", "{*}map")
_NOT_SHOWN = ("script", "variable-set", "user-field-get")  # fields that can be without a display
_INDEX_SOURCES = ("index-source", "content-source", "bibliography-source")  # how the text of an index is made
_BASES_MAX = 10  # styles that a style is based on, one on the other
_WHITE = "#ffffff"


class OdtStyles:
    """The styles of a document.

    Args:
        roots: of ``styles.xml`` and ``content.xml``.

    Attributes:
        hidden: the names of those whose text is hidden or struck.
        same_coloured: the names of those of cells whose text has the colour of its background.
        hidden_values: the names of those of cells whose format shows nothing.
        hidden_pages: the names of those of slides that presentations skip.
        lists, outline: the levels of lists, and of headings.
        paragraph_lists: the names of the lists that paragraphs with these styles are in, if they do not name one.
    """

    def __init__(self, *roots: etree._Element) -> None:
        self._properties: dict[str, dict[str, str]] = {}
        self._parents: dict[str, str] = {}
        self._empty_formats: dict[str, set[str]] = {}  # with the formats that they refer to
        self.lists: dict[str, dict[int, Level]] = {}
        self.outline: dict[int, Level] = {}
        for root in roots:
            for element in root.iter("{*}style", "{*}list-style", "{*}outline-style"):
                self._add(element)
            for element in root.iter(*_FORMATS):
                self._add_format(element)
        inherited = {name: self._inherited(name) for name in self._properties}
        self.hidden = {name for name, of in inherited.items() if _is_left_out(of)}
        empty = {name for name, others in self._empty_formats.items() if others <= self._empty_formats.keys()}
        self.hidden_values = {name for name, of in inherited.items() if of.get("data-style-name") in empty}
        self.hidden_pages = {name for name, of in inherited.items() if of.get("visibility") == "hidden"}
        self.paragraph_lists = {name: list_ for name, of in inherited.items() if (list_ := of.get("list-style-name"))}
        self.same_coloured = {name for name, of in inherited.items() if _is_same_coloured(of)}

    def _add_format(self, element: etree._Element) -> None:
        """Adds a format of numbers or texts, if it shows nothing itself."""
        parts = [part for part in element if isinstance(part.tag, str) and local_name(part.tag) != "text-properties"]
        if all(local_name(part.tag) == "map" or _is_blank(part) for part in parts):
            others = {attributes(part).get("apply-style-name", "") for part in parts}
            self._empty_formats[attributes(element).get("name", "")] = others - {""}

    def _inherited(self, name: str) -> dict[str, str]:
        """The properties of the style ``name``, with those of the styles that it is based on."""
        of: dict[str, str] = {}
        for _ in range(_BASES_MAX):
            of = self._properties.get(name, {}) | of
            name = self._parents.get(name, "")
        return of

    def _add(self, element: etree._Element) -> None:
        name = attributes(element).get("name", "")
        if local_name(element.tag) == "style":
            self._parents[name] = attributes(element).get("parent-style-name", "")
            self._properties[name] = {key: value for key, value in attributes(element).items() if key in _KEPT}
            for part in element.iterchildren(*_PROPERTIES):
                self._properties[name] |= {local_name(part.tag): "", **attributes(part)}
            return
        levels = {}
        for level in element:
            of = attributes(level) if isinstance(level.tag, str) else {}
            if (number := of.get("level", "")).isdecimal() and len(number) < 3:
                levels[int(number)] = level_of(of)
        if local_name(element.tag) == "list-style":
            self.lists[name] = levels
        else:
            self.outline = levels


def _is_left_out(of: dict[str, str]) -> bool:
    """Whether text with these properties is hidden or struck."""
    return of.get("display") == "none" or of.get("text-line-through-style", "none") != "none"


def _is_blank(part: etree._Element) -> bool:
    return local_name(part.tag) == "text" and not (part.text or "").strip()


def _is_same_coloured(of: dict[str, str]) -> bool:
    """Whether text with these properties of a cell has the colour of its background, on no condition."""
    background = of.get("background-color", "transparent")
    behind = _WHITE if background == "transparent" else background
    return of.get("family") == "table-cell" and "map" not in of and of.get("color", "").lower() == behind.lower()


def as_displayed(body: etree._Element, styles: OdtStyles) -> None:
    """Removes hidden and struck text from ``body``, puts notes after their paragraphs and numbers before theirs."""
    for element in list(body.iter(etree.Element)):
        if _is_hidden(element, styles):
            _remove(element)
    _move_notes(body)
    number_lists(body, styles)


def _is_hidden(element: etree._Element, styles: OdtStyles) -> bool:
    of, name = attributes(element), local_name(element.tag)
    if name in _HIDDEN:
        return of.get("is-hidden") == "true"
    if name in ("table-row", "table-column"):
        return of.get("visibility") in ("collapse", "filter")
    if name == "section":
        return of.get("display") == "none" or (of.get("display") == "condition" and of.get("is-hidden") == "true")
    if name in _NOT_SHOWN or name.endswith(_INDEX_SOURCES):
        return name not in _NOT_SHOWN[1:] or of.get("display") == "none"
    return name in ("p", "h", "span") and of.get("style-name") in styles.hidden


def _remove(element: etree._Element) -> None:
    """Removes ``element``, but not the text after it; a hidden paragraph field hides its paragraph."""
    if local_name(element.tag) == "hidden-paragraph":
        element = next(element.iterancestors("{*}p", "{*}h"), element)
    parent, before = element.getparent(), element.getprevious()
    if parent is None:
        return
    if element.tail and before is not None:
        before.tail = (before.tail or "") + element.tail
    elif element.tail:
        parent.text = (parent.text or "") + element.tail
    parent.remove(element)


def _move_notes(body: etree._Element) -> None:
    """Puts the paragraphs of each note after the outermost block that refers to it."""
    last: dict[etree._Element, etree._Element] = {}
    for note in list(body.iter("{*}note")):
        citation = " ".join(
            "".join(map(str, part.itertext())) for part in note.iterchildren("{*}note-citation")
        ).strip()
        place = note
        while (parent := place.getparent()) is not None and parent is not body and local_name(parent.tag) != "section":
            place = parent
        paragraphs = list(note.iter("{*}p"))
        if paragraphs and citation:
            paragraphs[0].text = f"{citation} {paragraphs[0].text or ''}"
        after = last.get(place, place)
        _remove(note)
        for paragraph in paragraphs:
            paragraph.tail = None
            after.addnext(paragraph)
            after = last[place] = paragraph
