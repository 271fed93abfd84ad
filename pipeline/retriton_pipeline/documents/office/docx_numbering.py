"""The numbers of DOCX paragraphs as they are displayed: "§ 12", "(f)", "2.1.3"."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field

from lxml import etree

from retriton_pipeline.documents.numerals import numeral
from retriton_pipeline.documents.office.docx_styles import Styles
from retriton_pipeline.documents.office.ooxml import WORD, is_on

_VALUE = f"{WORD}val"
_LEVELS = 9
_ZEROS = re.compile(r"0{1,9}1(?=,)")  # "001, 002, 003, ..."
_PLACEHOLDER = re.compile(r"%([1-9])")


@dataclass(frozen=True)
class _Level:
    """How the paragraphs of one level of a list are numbered."""

    style: str = "decimal"
    text: str = ""
    start: int = 1
    restarts_after: int | None = None
    is_legal: bool = False

    @classmethod
    def of(cls, element: etree._Element) -> _Level:
        restart = _number(element, "lvlRestart", -1)
        return cls(
            _number_style(element),
            _value(element, "lvlText", ""),
            _number(element, "start", 0),
            restart if restart >= 0 else None,
            is_on(element.find(f"{WORD}isLgl"), _VALUE),
        )


@dataclass
class _List:
    """An abstract numbering definition, and the counters that all its instances share."""

    levels: dict[int, _Level] = field(default_factory=dict)
    styles: dict[str, int] = field(default_factory=dict)
    counters: dict[int, int] = field(default_factory=dict)


class Numbering:
    """Counts the paragraphs of a document, in their order.

    Args:
        definitions: the root of ``numbering.xml``; None if there is none.
        styles: the styles of the document.
    """

    def __init__(self, definitions: etree._Element | None, styles: Styles) -> None:
        self._styles = styles
        self._lists: dict[str, _List] = {}  # by the id of the instance
        self._starts: dict[str, dict[int, int]] = {}
        self._overrides: defaultdict[str, dict[int, _Level]] = defaultdict(dict)
        if definitions is not None:
            self._read(definitions)

    def _read(self, root: etree._Element) -> None:
        abstract = {element.get(f"{WORD}abstractNumId"): element for element in root.iter(f"{WORD}abstractNum")}
        by_style = {_value(element, "styleLink", ""): key for key, element in abstract.items()}
        lists = {key: _list(element) for key, element in abstract.items()}
        for instance in root.iter(f"{WORD}num"):
            key, number = _value(instance, "abstractNumId", ""), instance.get(f"{WORD}numId", "")
            linked = by_style.get(_value(abstract[key], "numStyleLink", "-")) if key in abstract else None
            self._lists[number] = lists.get(linked or key, _List())
            for override in instance.iter(f"{WORD}lvlOverride"):
                level = _index(override)
                if (start := _number(override, "startOverride", -1)) >= 0:
                    self._starts.setdefault(number, {})[level] = start
                if (element := override.find(f"{WORD}lvl")) is not None:
                    self._overrides[number][level] = _Level.of(element)

    def label(self, paragraph: etree._Element) -> str | None:
        """The number of the next paragraph; None if it has none, or a bullet."""
        number, level, style = self._styles.numbering(paragraph)
        counted = self._lists.get(number)
        if counted is None:
            return None
        level = min(counted.styles.get(style, 0) if level is None else level, _LEVELS - 1)
        levels = counted.levels | self._overrides.get(number, {})
        self._count(counted, number, level, levels)
        definition = levels.get(level, _Level())
        return None if definition.style == "bullet" else _label(definition, levels, counted.counters)

    def _count(self, counted: _List, number: str, level: int, levels: dict[int, _Level]) -> None:
        counters = counted.counters
        start = self._starts.get(number, {}).pop(level, None)
        for above in range(level):  # levels that are skipped count, too
            counters.setdefault(above, levels.get(above, _Level()).start)
        first = levels.get(level, _Level()).start
        counters[level] = start if start is not None else counters.get(level, first - 1) + 1
        for deeper in range(level + 1, _LEVELS):
            after = levels.get(deeper, _Level()).restarts_after
            if after is None or 0 < level + 1 <= after:
                counters.pop(deeper, None)


def _list(element: etree._Element) -> _List:
    made = _List()
    for level in element.iterchildren(f"{WORD}lvl"):
        made.levels[_index(level)] = _Level.of(level)
        if style := _value(level, "pStyle", ""):
            made.styles[style] = _index(level)
    return made


def _label(level: _Level, levels: dict[int, _Level], counters: dict[int, int]) -> str:
    def number(match: re.Match[str]) -> str:
        place = int(match[1]) - 1
        of = levels.get(place, _Level())
        return numeral(counters.get(place, of.start), "decimal" if level.is_legal else of.style)

    return _PLACEHOLDER.sub(number, level.text).strip()


def _number_style(element: etree._Element) -> str:
    """The style of a level; of alternative ones, the last, which says nothing that only newer programs know."""
    styles = [style.get(_VALUE, "") for style in element.iter(f"{WORD}numFmt")]
    custom = next((style.get(f"{WORD}format", "") for style in element.iter(f"{WORD}numFmt")), "")
    return f"decimalZero{len(zeros[0])}" if (zeros := _ZEROS.match(custom)) else next(reversed(styles), "decimal")


def _index(element: etree._Element) -> int:
    value = element.get(f"{WORD}ilvl", "0")
    return int(value) if value.isdecimal() and len(value) < 3 else 0


def _value(element: etree._Element, name: str, default: str) -> str:
    found = element.find(f"{WORD}{name}")
    return default if found is None else found.get(_VALUE, default)


def _number(element: etree._Element, name: str, default: int) -> int:
    value = _value(element, name, "")
    return int(value) if value.isdecimal() and len(value) < 10 else default
