"""What the style sheets in a page hide, and how they number lists.

Only selectors of names, classes and ids are compared, with those of elements around. Rules for other media than
screens, and those that depend on the size of the screen, do not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import tinycss2
from lxml import etree

from retriton_pipeline.documents.html.invisibility import is_invisible, is_struck

_SHEETS_CHARACTERS_MAX = 500_000  # of a page
_RULES_MAX = 500
_COMPARISONS_MAX = 2_000_000
_COMPOUND = re.compile(r"([a-z][a-z0-9]*|\*)?((?:[.#][\w-]+)*)", re.IGNORECASE)
_SELECTOR_CHARACTERS_MAX = 200
_NAME = re.compile(r"([.#])([\w-]+)")
LIST_STYLES = ("list-style", "list-style-type")
_SHOWING = ("display", "visibility", "opacity")
_ALWAYS = re.compile(r"\s*(?:(?:only\s+)?(?:all|screen)\s*)?")


class _Compound(NamedTuple):
    """A selector of one element: its tag or ``*``, its id, and its classes."""

    tag: str
    id: str
    classes: frozenset[str]

    def matches(self, element: etree._Element) -> bool:
        if self.tag not in ("*", element.tag) or (self.id and element.get("id") != self.id):
            return False
        return not self.classes or self.classes <= set((element.get("class") or "").split())


class _Rule(NamedTuple):
    """A selector, outermost element first, and what it says about the elements that it selects.

    Attributes:
        compounds: of the selector.
        specificity: of the selector.
        hides: whether it hides them; None if it does not say.
        list_style: the numbers of lists; empty if it does not say.
    """

    compounds: tuple[_Compound, ...]
    specificity: tuple[int, int, int]
    hides: bool | None
    list_style: str

    def matches(self, element: etree._Element) -> bool:
        *around, last = self.compounds
        if not last.matches(element):
            return False
        ancestors = element.iterancestors()
        return all(any(compound.matches(ancestor) for ancestor in ancestors) for compound in reversed(around))


class StyleSheets:
    """The rules of the ``style`` elements of a page for what is shown.

    Args:
        root: of the page.
        has_scripts: whether the page has scripts, which often show what is transparent at first.
    """

    def __init__(self, root: etree._Element, has_scripts: bool = False) -> None:
        rules = list(_rules(root, has_scripts))[:_RULES_MAX] if next(root.iter("style"), None) is not None else []
        self._rules = [rule for rule in rules if rule.hides is not None]
        self._rules = self._rules if any(rule.hides for rule in rules) else []
        self._list_rules = [rule for rule in rules if rule.list_style]
        self._comparisons = 0

    def hides(self, element: etree._Element) -> bool:
        """Whether the rule that applies to ``element`` hides it; a rule that shows it can be more specific."""
        rule = self._applying(element, self._rules)
        return rule is not None and bool(rule.hides)

    def list_style(self, element: etree._Element) -> str:
        """The numbers of the list ``element``, as `ItemMarkers` takes them; empty if no rule states any."""
        rule = self._applying(element, self._list_rules)
        return rule.list_style if rule else ""

    def _applying(self, element: etree._Element, rules: list[_Rule]) -> _Rule | None:
        if not rules or self._comparisons > _COMPARISONS_MAX:
            return None
        self._comparisons += len(rules)
        matching = [(rule.specificity, index) for index, rule in enumerate(rules) if rule.matches(element)]
        return rules[max(matching)[1]] if matching else None


def _rules(root: etree._Element, has_scripts: bool) -> Iterator[_Rule]:
    budget = _SHEETS_CHARACTERS_MAX
    for style in root.iter("style"):
        text = style.text or ""
        budget -= len(text)
        if budget >= 0 and _ALWAYS.fullmatch(style.get("media", "")):
            yield from _parsed(tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True), has_scripts)


def _parsed(rules: list[object], has_scripts: bool) -> Iterator[_Rule]:
    for rule in rules:
        if isinstance(rule, tinycss2.ast.AtRule):
            is_screen = rule.lower_at_keyword == "media" and _ALWAYS.fullmatch(tinycss2.serialize(rule.prelude))
            if is_screen and rule.content:
                inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
                yield from _parsed([part for part in inner if not isinstance(part, tinycss2.ast.AtRule)], has_scripts)
        elif isinstance(rule, tinycss2.ast.QualifiedRule):
            style = _declarations(rule)
            hides = _hides(style, has_scripts)
            numbers = " ".join(value for name, value in style if name in LIST_STYLES)
            selectors = tinycss2.serialize(rule.prelude).split(",") if hides is not None or numbers else []
            yield from filter(None, (_rule(selector.strip(), hides, numbers) for selector in selectors))


def _declarations(rule: tinycss2.ast.QualifiedRule) -> list[tuple[str, str]]:
    parts = tinycss2.parse_blocks_contents(rule.content, skip_comments=True, skip_whitespace=True)
    return [
        (part.lower_name, tinycss2.serialize(part.value).strip().lower())
        for part in parts
        if isinstance(part, tinycss2.ast.Declaration)
    ]


def _hides(style: list[tuple[str, str]], has_scripts: bool) -> bool | None:
    """Whether the declarations hide; None if they say nothing about it."""
    if is_invisible(style, has_scripts) or is_struck(style):
        return True
    return False if any(name in _SHOWING for name, _ in style) else None


def _rule(selector: str, hides: bool | None, list_style: str) -> _Rule | None:
    """The rule of a selector; None if it has parts that are not compared."""
    if not selector or len(selector) > _SELECTOR_CHARACTERS_MAX:
        return None
    compounds = []
    for part in selector.replace(">", " ").split():
        match = _COMPOUND.fullmatch(part)
        if match is None:
            return None
        names = _NAME.findall(match[2])
        ids = [name for kind, name in names if kind == "#"]
        classes = frozenset(name for kind, name in names if kind == ".")
        compounds.append(_Compound((match[1] or "*").lower(), ids[0] if ids else "", classes))
    ids_number = sum(bool(compound.id) for compound in compounds)
    classes_number = sum(len(compound.classes) for compound in compounds)
    return _Rule(tuple(compounds), (ids_number, classes_number, len(compounds)), hides, list_style)
