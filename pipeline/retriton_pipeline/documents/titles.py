"""Chooses the title of a document."""

from __future__ import annotations

import re
from collections.abc import Iterable

from retriton_pipeline.documents.model import Block

_LOWEST_LEVEL = 6
_CHARACTERS_MAX = 4096
_GENERATED = re.compile(
    r"microsoft (word|powerpoint|excel)\b.*"
    r"|(powerpoint|pdf|word)[ -]?(presentation|document)?"
    r"|(untitled|unbenannt|sans titre|document|dokument|slide|presentation|folie|layout|title)[ _-]?\d*"
    r"|\(?(anonymous|unspecified)\)?"
    r"|[\W\d_]*"
    r"|.*\.(docx?|pptx?|xlsx?|pdf|tex|dvi|indd|qxd|odt|rtf|html?|ps|eps|fm|p65|cdr)(_\d+)?",
    re.IGNORECASE | re.DOTALL,
)


def usable_title(title: str | None) -> str:
    """``title`` on one line; empty if an application generated it (file names, "untitled", …)."""
    line = " ".join((title or "")[:_CHARACTERS_MAX].split())
    return "" if _GENERATED.fullmatch(line) else line


def first_heading(blocks: Iterable[Block]) -> str:
    """The first heading of the highest level; empty if there is none above level 6, which is often only bold text."""
    headings = [block for block in blocks if 0 < block.heading_level < _LOWEST_LEVEL]
    return min(headings, key=lambda block: block.heading_level).text if headings else ""
