"""What LaTeX states about boxes and environments, besides their text: sizes, columns, options and labels."""

from __future__ import annotations

import re

_OPTION = r"(?:\[[^\[\]\n]{0,500}\]\s{0,9})"
_SIZE = r"(?:\{[^{}]{0,200}\}\s{0,9})"
_BOX = re.compile(
    rf"\\(?:resizebox\*?\s{{0,9}}{_SIZE}{{2}}|(?:scalebox|rotatebox)\s{{0,9}}{_OPTION}{{0,2}}{_SIZE}{_OPTION}?"
    rf"|(?:makebox|framebox)\s{{0,9}}{_OPTION}{{0,2}}|(?:parbox|adjustbox|raisebox)\s{{0,9}}{_OPTION}{{0,3}}{_SIZE}"
    rf"|todo\s{{0,9}}{_OPTION}?)(?=\{{)"
)
_ENVIRONMENTS = (  # by the number of arguments
    "algorithmic|algorithm|figure|table|sidewaystable|sidewaysfigure|tcolorbox|mdframed|framed|columns|landscape",
    "minipage|subfigure|subtable|multicols|adjustbox|column|spacing",
    "wrapfigure|wraptable|adjustwidth",
)
_ENVIRONMENT = re.compile(
    "|".join(
        rf"(?:(?<=\\begin\{{)(?:{names})\*?\}}\s{{0,9}}(?:{_OPTION}{{0,2}}{_SIZE}){{{number}}}{_OPTION}{{0,2}})"
        for number, names in enumerate(_ENVIRONMENTS)
    )
)
_TITLE = re.compile(r"[\[,]\s{0,9}title\s{0,9}=\s{0,9}(\{[^{}]{1,200}\}|[^,\]{}]{1,200})")
_STATEMENT = re.compile(
    r"(\\begin\{(theorem|lemma|corollary|proposition|definition|example|remark|claim|conjecture|axiom)\*?\})"
    r"\s{0,9}(?:\[([^\[\]\n]{1,500})\])?"
)
_SIGNS = re.compile(r"\\([SP])(?![A-Za-z])[ \t]*")
_SHOWN_SIGNS = {"S": "§ ", "P": "¶ "}


def without_boxes(source: str) -> str:
    """``source`` without the sizes and options of boxes and environments, and with the names of statements."""
    source = _STATEMENT.sub(_named, _BOX.sub("", source))
    return _SIGNS.sub(lambda match: _SHOWN_SIGNS[match[1]], _ENVIRONMENT.sub(_without_arguments, source))


def _without_arguments(match: re.Match[str]) -> str:
    title = _TITLE.search(match[0])
    shown = f"{title[1].strip('{} ')}. " if title else ""
    return match[0].partition("}")[0] + "}" + shown


def _named(match: re.Match[str]) -> str:
    title = f" ({match[3]})" if match[3] else ""
    return f"{match[1]}{match[2].capitalize()}{title}. "
