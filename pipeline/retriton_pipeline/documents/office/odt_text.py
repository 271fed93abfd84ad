"""Rewrites the body of an ODT as a reader sees it: with numbers of lists, notes apart, nothing hidden or struck."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from lxml import etree

from retriton_pipeline.documents.numerals import numeral
from retriton_pipeline.documents.office.archive import local_name
from retriton_pipeline.documents.office.list_numbers import NUMBER_MARK

_STYLES = {"1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
_HIDDEN = ("hidden-text", "hidden-paragraph")
_LEVELS_MAX = 10
_FORMATS = ("{*}number-style", "{*}text-style", "{*}currency-style", "{*}percentage-style", "{*}date-style")
_BASES_MAX = 10  # styles that a style is based on, one on the other
_WHITE = "#ffffff"


@dataclass(frozen=True)
class _Level:
    """How the items of a level of a list are numbered; by bullets if there is no style."""

    style: str = ""
    prefix: str = ""
    suffix: str = ""
    start: int = 1
    shown: int = 1


def attributes(element: etree._Element) -> dict[str, str]:
    """The attributes of ``element`` without their namespaces."""
    return {local_name(key): str(value) for key, value in element.attrib.items()}


class OdtStyles:
    """The styles of a document.

    Args:
        roots: of ``styles.xml`` and ``content.xml``.

    Attributes:
        hidden: the names of those whose text is hidden or struck.
        same_coloured: the names of those of cells whose text has the colour of its background.
        hidden_values: the names of those of cells whose format shows nothing.
        lists, outline: the levels of lists, and of headings.
    """

    def __init__(self, *roots: etree._Element) -> None:
        self._properties: dict[str, dict[str, str]] = {}
        self._parents: dict[str, str] = {}
        self._empty_formats: dict[str, set[str]] = {}  # with the formats that they refer to
        self.lists: dict[str, dict[int, _Level]] = {}
        self.outline: dict[int, _Level] = {}
        for root in roots:
            for element in root.iter("{*}style", "{*}list-style", "{*}outline-style"):
                self._add(element)
            for element in root.iter(*_FORMATS):
                self._add_format(element)
        inherited = {name: self._inherited(name) for name in self._properties}
        self.hidden = {name for name, of in inherited.items() if _is_left_out(of)}
        empty = {name for name, others in self._empty_formats.items() if others <= self._empty_formats.keys()}
        self.hidden_values = {name for name, of in inherited.items() if of.get("data-style-name") in empty}
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
            self._properties[name] = {
                key: value for key, value in attributes(element).items() if key in ("family", "data-style-name")
            }
            for part in element.iterchildren("{*}text-properties", "{*}table-cell-properties", "{*}map"):
                self._properties[name] |= {local_name(part.tag): "", **attributes(part)}
            return
        levels = {}
        for level in element:
            of = attributes(level) if isinstance(level.tag, str) else {}
            if (number := of.get("level", "")).isdecimal() and len(number) < 3:
                levels[int(number)] = _level(of)
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


def _level(of: dict[str, str]) -> _Level:
    return _Level(
        _STYLES.get(of.get("num-format", ""), ""),
        of.get("num-prefix", ""),
        of.get("num-suffix", ""),
        _number(of.get("start-value"), 1),
        _number(of.get("display-levels"), 1),
    )


def _number(value: str | None, default: int) -> int:
    return int(value) if value and value.isdecimal() and len(value) < 10 else default


def as_displayed(body: etree._Element, styles: OdtStyles) -> None:
    """Removes hidden and struck text from ``body``, puts notes after their paragraphs and numbers before theirs."""
    for element in list(body.iter(etree.Element)):
        if _is_hidden(element, styles):
            _remove(element)
    _move_notes(body)
    _number_lists(body, styles)


def _is_hidden(element: etree._Element, styles: OdtStyles) -> bool:
    of, name = attributes(element), local_name(element.tag)
    if name in _HIDDEN:
        return of.get("is-hidden") == "true"
    if name in ("table-row", "table-column"):
        return of.get("visibility") in ("collapse", "filter")
    if name == "section":
        return of.get("display") == "none"
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


def _number_lists(body: etree._Element, styles: OdtStyles) -> None:
    outline: defaultdict[int, int] = defaultdict(int)
    counters: dict[str, dict[int, int]] = {}  # by the style of the outermost list
    for element in body.iter("{*}h", "{*}list-item"):
        if local_name(element.tag) == "h":
            level = _number(attributes(element).get("outline-level"), 1)
            if (shown := _label(styles.outline, outline, level, attributes(element))) is not None:
                element.text = f"{shown}{element.text or ''}"
            continue
        lists = [attributes(of) for of in element.iterancestors("{*}list")]  # the innermost first
        names = [name for of in lists if (name := of.get("style-name"))] or [""]
        if element.getprevious() is None and len(lists) == 1 and lists[0].get("continue-numbering") != "true":
            counters[names[-1]] = {}
        counted = counters.setdefault(names[-1], {})
        shown = _label(styles.lists.get(names[0], {}), counted, len(lists), attributes(element))
        paragraph = next(element.iterchildren("{*}p", "{*}h"), None)
        if shown is not None and paragraph is not None:
            paragraph.text = f"{NUMBER_MARK}{shown}{paragraph.text or ''}"


def _label(levels: dict[int, _Level], counters: dict[int, int], level: int, of: dict[str, str]) -> str | None:
    """The number of the next item of ``level`` with a space; None if it has a bullet or none."""
    if level > _LEVELS_MAX:
        return None
    for deeper in [known for known in counters if known > level]:
        del counters[deeper]
    definition = levels.get(level, _Level())
    start = _number(of.get("start-value"), counters.get(level, definition.start - 1) + 1)
    counters[level] = start
    if not definition.style:
        return None
    first = max(level - definition.shown + 1, 1)
    numbers = [
        numeral(
            counters.get(place, levels.get(place, _Level()).start), levels.get(place, definition).style or "decimal"
        )
        for place in range(first, level + 1)
    ]
    return f"{definition.prefix}{'.'.join(numbers)}{definition.suffix} "
