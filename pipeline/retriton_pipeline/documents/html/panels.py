"""Tabs, panels and answers that are hidden until readers open them, and the buttons and links that do so."""

from __future__ import annotations

import re
from functools import cached_property
from itertools import islice

from lxml import etree

from retriton_pipeline.documents.html.names import class_names

_REVEALED = re.compile(
    r"(?:tab|toggle|\bacc|expand(?:able|er)?)[-_]*(?:pane|content|body)|accordion|collaps|faq|answer|spoiler",
    re.IGNORECASE,
)
_TOGGLE = re.compile(r"(?:^|[\s_-])(?:tab|toggle|accordion|collapsed)(?:$|[\s_-])", re.IGNORECASE)
_REVEALED_ROLES = {"tabpanel", "region"}
_OVERLAY_ROLES = {"dialog", "alertdialog", "menu", "listbox", "tooltip"}
_LABELLED = {"summary", "dt", "legend", *(f"h{level}" for level in range(1, 7))}
_TOGGLES = ("aria-expanded", "aria-controls", "data-toggle", "data-bs-toggle")
_LABEL_WORDS_MIN = 4  # buttons with fewer words are commands
_TEXTS_MAX = 100  # of a heading that is compared with its button


class Panels:
    """The hidden elements of a page that readers can open.

    Args:
        root: of the page.
        has_scripts: whether the page has scripts.
    """

    def __init__(self, root: etree._Element, has_scripts: bool) -> None:
        self._root = root
        self._has_scripts = has_scripts

    @cached_property
    def _opened(self) -> set[str]:
        """The ids of the elements that others open."""
        opened: set[str] = set()
        for element in self._root.iter(etree.Element):
            targets = [element.get(name, "") for name in ("aria-controls", "data-target", "data-bs-target")]
            if element.get("role") == "tab" or _is_tab(element):
                targets.append(element.get("href", ""))
            opened.update(name.lstrip("#") for target in targets if target for name in target.split())
        return opened

    def opens(self, element: etree._Element) -> bool:
        """Whether ``element``, which is hidden, can be opened."""
        role = element.get("role", "")
        if role in _OVERLAY_ROLES:
            return False
        is_panel = role in _REVEALED_ROLES or element.get("hidden") == "until-found"
        is_named = _REVEALED.search(class_names(element)) is not None
        is_answer = element.tag == "dd" and self._has_scripts
        return is_panel or is_named or is_answer or _follows_label(element) or element.get("id", "") in self._opened


def _is_tab(element: etree._Element) -> bool:
    """Whether ``element`` is a link to a part of the page, in a list or named as a tab."""
    if element.tag != "a" or not element.get("href", "").startswith("#"):
        return False
    parent = element.getparent()
    return (parent is not None and parent.tag == "li") or is_toggle(element)


def is_toggle(link: etree._Element) -> bool:
    """Whether ``link`` is named as a label that opens a tab or a panel of the page."""
    is_within = link.get("href", "").startswith("#")
    return is_within and _TOGGLE.search(class_names(link)) is not None


def _follows_label(element: etree._Element) -> bool:
    """Whether ``element`` stands directly after a button, or an element with a button, that labels it."""
    before = element.getprevious()
    return before is not None and any(not is_command(button) for button in before.iter("button"))


def is_command(button: etree._Element) -> bool:
    """Whether ``button`` does something, as opposed to labelling what it opens."""
    if any(button.get(name) is not None for name in _TOGGLES) or _REVEALED.search(button.get("class", "")):
        return False
    text = "".join(map(str, button.itertext())).strip()
    labelled = next(button.iterancestors(*_LABELLED), None)
    if (labelled is not None and _letters(labelled) == _letters(button)) or next(button.iter("p"), None) is not None:
        return False
    is_label = text.endswith("?") or len(text.split()) >= _LABEL_WORDS_MIN
    return not is_label or button.get("type", "").lower() in ("submit", "reset")


def _letters(element: etree._Element) -> str:
    return "".join(filter(str.isalpha, "".join(map(str, islice(element.itertext(), _TEXTS_MAX)))))
