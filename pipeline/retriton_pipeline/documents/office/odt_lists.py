"""The numbers of headings and of the items of lists of an OpenDocument file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lxml import etree

from retriton_pipeline.documents.numerals import numeral
from retriton_pipeline.documents.office.archive import local_name
from retriton_pipeline.documents.office.list_numbers import NUMBER_MARK
from retriton_pipeline.documents.office.odf_attributes import attributes

_STYLES = {"1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
_LEVELS_MAX = 10


@dataclass(frozen=True)
class Level:
    """How the items of a level of a list are numbered; by bullets if there is no style."""

    style: str = ""
    prefix: str = ""
    suffix: str = ""
    start: int = 1
    shown: int = 1


def level_of(of: dict[str, str]) -> Level:
    """The level of a list with the attributes ``of``."""
    return Level(
        _STYLES.get(of.get("num-format", ""), ""),
        of.get("num-prefix", ""),
        of.get("num-suffix", ""),
        _number(of.get("start-value"), 1),
        _number(of.get("display-levels"), 1),
    )


def _number(value: str | None, default: int) -> int:
    return int(value) if value and value.isdecimal() and len(value) < 10 else default


class Lists(Protocol):
    """The styles that `number_lists` needs.

    Attributes:
        lists, outline: the levels of lists by the names of their styles, and of headings.
        paragraph_lists: the names of the styles of lists by those of paragraphs.
    """

    lists: dict[str, dict[int, Level]]
    outline: dict[int, Level]
    paragraph_lists: dict[str, str]


def number_lists(body: etree._Element, styles: Lists) -> None:
    """Writes the numbers of headings and of the items of lists before their texts."""
    outline: dict[int, int] = {}
    counters: dict[str, dict[int, int]] = {}  # by the style of the outermost list
    by_id: dict[str | None, dict[int, int]] = {}
    for element in body.iter("{*}h", "{*}list-item"):
        if local_name(element.tag) == "h":
            _number_heading(element, styles.outline, outline)
            continue
        lists = [attributes(of) for of in element.iterancestors("{*}list")]  # the innermost first
        paragraph = next(element.iterchildren("{*}p", "{*}h"), None)
        usual = "" if paragraph is None else styles.paragraph_lists.get(attributes(paragraph).get("style-name", ""), "")
        names = [name for of in lists if (name := of.get("style-name"))] or [usual]
        if element.getprevious() is None and len(lists) == 1 and lists[0].get("continue-numbering") != "true":
            counters[names[-1]] = by_id.get(lists[0].get("continue-list"), {})
        counted = counters.setdefault(names[-1], {})
        if name := lists[-1].get("id"):
            by_id[name] = counted
        shown = _label(styles.lists.get(names[0], {}), counted, len(lists), attributes(element))
        if shown is not None and paragraph is not None:
            paragraph.text = f"{NUMBER_MARK}{shown}{paragraph.text or ''}"


def _number_heading(heading: etree._Element, levels: dict[int, Level], counters: dict[int, int]) -> None:
    of = attributes(heading)
    level = _number(of.get("outline-level"), 1)
    shown = None if of.get("is-list-header") == "true" else _label(levels, counters, level, of)
    if shown is not None:
        heading.text = f"{shown}{heading.text or ''}"


def _label(levels: dict[int, Level], counters: dict[int, int], level: int, of: dict[str, str]) -> str | None:
    """The number of the next item of ``level`` with a space; None if it has a bullet or none."""
    if level > _LEVELS_MAX:
        return None
    for deeper in [known for known in counters if known > level]:
        del counters[deeper]
    for above in range(1, level):  # levels that are skipped count, too
        counters.setdefault(above, levels.get(above, Level()).start)
    definition = levels.get(level, Level())
    start = _number(of.get("start-value"), counters.get(level, definition.start - 1) + 1)
    counters[level] = start
    if not definition.style:
        return None
    first = max(level - definition.shown + 1, 1)
    numbers = [
        numeral(counters.get(place, levels.get(place, Level()).start), levels.get(place, definition).style or "decimal")
        for place in range(first, level + 1)
    ]
    return f"{definition.prefix}{'.'.join(numbers)}{definition.suffix} "
