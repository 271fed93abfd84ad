"""What HTML elements mean: which are blocks, which are not shown, and what surrounds a text."""

from __future__ import annotations

import re
from typing import NamedTuple

from lxml import etree

from retriton_pipeline.documents.html.controls import is_shown_option
from retriton_pipeline.documents.html.formulas import is_drawn_formula
from retriton_pipeline.documents.html.invisibility import is_invisible, is_struck
from retriton_pipeline.documents.html.names import class_names_and_id
from retriton_pipeline.documents.html.panels import Panels, is_command, is_toggle
from retriton_pipeline.documents.html.style_sheets import StyleSheets

SKIPPED = {
    "script", "style", "head", "title", "nav", "object", "datalist", "video", "audio", "canvas", "noframes",
    "rp", "rt", "rtc",  # readings above ruby text
    "del", "s", "strike",  # text that is no longer valid
}  # fmt: skip
BLOCKS = {
    "html", "body", "article", "section", "main", "header", "div", "p", "blockquote", "figure", "figcaption", "address",
    "center", "details", "summary", "form", "fieldset", "legend", "dl", "dt", "dd", "tr", "td", "th", "caption", "hr",
    "aside", "footer", "hgroup", "dialog", "noscript", "textarea", "optgroup",
}  # fmt: skip
SEPARATORS = {"label": " ", "select": " ", "option": " ", "button": "\n", "q": '"', "meter": " ",
              "progress": " ", "output": " "}  # around inline elements  # fmt: skip
_BOLD_WEIGHT = re.compile(r"bold|[6-9]00")
_BOLD_FONT = re.compile(r"\bbold\b")
_STYLE_CHARACTERS_MAX = 4096
_CONTAINERS = {"body", "main", "article", "section", "aside", "header", "footer", "div", "td"}
_SECTIONS = {"main", "article", "section", "aside", "blockquote", "td", "li"}
_BOILERPLATE = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|menu|breadcrumbs?|sidebar|footer|cookies?|consent|newsletter|copyright)"
    r"(?:$|[\s_-])",
    re.IGNORECASE,
)
_BANNERS = {"div", "section", "aside", "dialog", "footer"}
_CONSENT = re.compile(
    r"onetrust-(?:consent|banner)-sdk|cybotcookiebotdialog|usercentrics-root|didomi-host|cc-window"
    r"|cookie-?(?:banner|notice|consent|bar|popup|law-info-bar)(?:-(?:container|wrapper))?"
)
_TOOLS = {"mw-editsection", "mw-cite-backlink", "mw-jump-link", "skip-link", "boring"}  # boring: hidden lines of mdBook
_HELP = "mdbook-help-container"
_REQUEST_CHARACTERS_MAX = 300
_Declarations = list[tuple[str, str]]


class Surroundings(NamedTuple):
    """What surrounds a text.

    Attributes:
        bold: whether it is shown in bold.
        linked: whether it is a link.
        boilerplate: the innermost element around it that is named as navigation, or is the footer of the page; None
            outside of any.
        content: whether it is in the element that the page marks as its content.
        section: whether it is in an element that can have a footer of its own.
        container: the innermost element around it that groups blocks; None outside of any.
        keeps_lines: whether its line breaks are shown.
    """

    bold: bool = False
    linked: bool = False
    boilerplate: etree._Element | None = None
    content: bool = False
    section: bool = False
    container: etree._Element | None = None
    keeps_lines: bool = False

    def within(self, element: etree._Element) -> Surroundings:
        """The surroundings of the text of ``element``, which has these."""
        tag = element.tag
        content = self.content or tag in ("main", "article") or element.get("role") == "main"
        section = self.section or content or tag in _SECTIONS
        style = declarations(element)
        is_boilerplate = (tag == "footer" and not self.section) or _is_named_boilerplate(element)
        return Surroundings(
            self.bold or tag in ("b", "strong") or is_bold(style),
            self.linked or (tag == "a" and element.get("href") is not None and not is_toggle(element)),
            element if is_boilerplate else self.boilerplate,
            content,
            section,
            element if tag in _CONTAINERS else self.container,
            self.keeps_lines or tag == "textarea" or _keeps_lines(style),
        )


def _is_named_boilerplate(element: etree._Element) -> bool:
    if element.tag in ("html", "body") or not (element.get("class") or element.get("id")):
        return False
    return _BOILERPLATE.search(class_names_and_id(element)) is not None


class Visibility:
    """Which elements of a tree readers see, at once or after opening a tab or a panel.

    Args:
        root: of the tree.
    """

    def __init__(self, root: etree._Element) -> None:
        self._has_scripts = next(root.iter("script"), None) is not None
        self._sheets = StyleSheets(root, self._has_scripts)
        self._panels = Panels(root, self._has_scripts)

    def hides(self, element: etree._Element) -> bool:
        """Whether neither ``element`` nor what it contains is content."""
        tag = element.tag
        if tag in ("html", "body"):
            return False  # hidden at most until a script has run
        if tag == "button":
            return is_command(element)
        if tag == "noscript":
            return _asks_for_script(element)
        if tag == "option":
            return not is_shown_option(element)
        if tag == "template":
            return element.get("shadowrootmode") is None
        if is_drawn_formula(element) or _is_tool(element) or _asks_for_consent(element):
            return True
        if (tag == "dialog" and element.get("open") is None) or element.get("role") == "navigation":
            return True
        style = declarations(element)
        if is_struck(style):
            return True
        is_hidden = element.get("hidden") is not None or self._sheets.hides(element)
        is_hidden = is_hidden or is_invisible(style, self._has_scripts, is_leaf=not len(element))
        return is_hidden and not self._panels.opens(element)

    def list_style(self, element: etree._Element) -> str:
        """How the style sheets number the list ``element``; empty if they do not say."""
        return self._sheets.list_style(element)


def _is_tool(element: etree._Element) -> bool:
    """Whether ``element`` is the permanent link of a heading, a link to edit it, or what a book shows on request."""
    if not _TOOLS.isdisjoint((element.get("class") or "").split()) or element.get("id") == _HELP:
        return True
    is_fragment = element.tag == "a" and element.get("href", "").startswith("#")
    return is_fragment and not any(map(str.isalnum, "".join(map(str, element.itertext()))))


def _asks_for_consent(element: etree._Element) -> bool:
    """Whether ``element`` is the banner of a page that asks for consent to cookies."""
    if element.tag not in _BANNERS:
        return False
    return any(map(_CONSENT.fullmatch, class_names_and_id(element).lower().split()))


def _asks_for_script(noscript: etree._Element) -> bool:
    """Whether the text of a ``noscript`` element only says that the page needs JavaScript."""
    text = " ".join("".join(map(str, noscript.itertext())).split())
    return len(text) <= _REQUEST_CHARACTERS_MAX and "javascript" in text.lower()


def declarations(element: etree._Element) -> _Declarations:
    """The names and values of the declarations of the attribute ``style``."""
    style = element.get("style")
    if not style:
        return []
    texts = (text.partition(":") for text in style[:_STYLE_CHARACTERS_MAX].lower().split(";"))
    return [(name.strip(), value.strip()) for name, _, value in texts]


def _keeps_lines(style: _Declarations) -> bool:
    return any(name == "white-space" and value.startswith(("pre", "break-spaces")) for name, value in style)


def is_bold(style: _Declarations) -> bool:
    """Whether text with these declarations is bold."""
    return any(
        (name.endswith("font-weight") and _BOLD_WEIGHT.match(value))
        or (name.endswith("font") and _BOLD_FONT.search(value))
        for name, value in style
    )
