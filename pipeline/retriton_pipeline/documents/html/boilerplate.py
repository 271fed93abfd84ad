"""Separates the content of web pages from navigation and other boilerplate.

Only what gives evidence of being boilerplate is left out: text that consists of links, that is in the footer of the
page or in an element named as navigation, or that states a copyright. It is kept within the content, whose range is
what the page marks as content and what trafilatura extracts, and where it is much of the page's text. Links are also
kept beside content.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from lxml import etree

from retriton_pipeline.documents.html.origin import Origin
from retriton_pipeline.documents.model import Block

_ANCHOR_CHARACTERS_MIN = 20  # shorter blocks may occur in content and in boilerplate
_COMPARED_CHARACTERS = 60
_COMPARISONS_MAX = 10**10  # blocks times characters
_DROPPED_SHARE_MAX = 0.2  # of the text that is no link
_COPYRIGHT = re.compile(r"\W*(?:©|\(c\)|copyright\b)", re.IGNORECASE)
_COPYRIGHT_CHARACTERS_MAX = 200
_MARKER = re.compile(r"^ *(?:-|\w{1,6}\.) ", re.MULTILINE)  # of list items
_Located = tuple[Block, Origin]


def content_blocks(located: Sequence[_Located], extracted: str) -> list[Block]:
    """The blocks without boilerplate.

    Args:
        located: all blocks of the page.
        extracted: the text that trafilatura extracts.
    """
    blocks = [block for block, _ in located]
    known = _known_content(located, extracted)
    if not known:
        return blocks
    around: set[etree._Element | None] = {None}  # what contains content cannot be boilerplate
    for index in known:
        around |= {located[index][1].boilerplate, located[index][1].container}
    dropped: set[int] = set()
    for index in (*range(known[0]), *range(known[-1] + 1, len(located))):
        block, origin = located[index]
        if _is_boilerplate(block, origin, around):
            dropped.add(index)
    for index in reversed(range(len(located))):
        if blocks[index].heading_level and index + 1 in dropped and not known[0] <= index <= known[-1]:
            dropped.add(index)  # its text is gone
    if _prose(located[index] for index in dropped) > _DROPPED_SHARE_MAX * _prose(located):
        return blocks
    return [block for index, block in enumerate(blocks) if index not in dropped]


def _known_content(located: Sequence[_Located], extracted: str) -> list[int]:
    """The indexes of the blocks that the page marks as content, or trafilatura extracts, in order."""
    content = _alphanumeric(extracted)
    if len(located) * len(content) > _COMPARISONS_MAX:
        content = ""
    return [index for index, (block, origin) in enumerate(located) if origin.content or _is_in(block.text, content)]


def _is_in(text: str, content: str) -> bool:
    start = _alphanumeric(text)[:_COMPARED_CHARACTERS]
    return len(start) >= _ANCHOR_CHARACTERS_MIN and start in content


def _is_boilerplate(block: Block, origin: Origin, around: Collection[etree._Element | None]) -> bool:
    """Whether there is evidence; an element ``around`` content is none."""
    if block.header:
        return False
    if origin.boilerplate not in around:
        return True
    is_title = block.heading_level == 1  # which is often a link to the page itself
    if 2 * origin.linked > origin.characters and origin.container not in around and not is_title:
        return True
    return len(block.text) <= _COPYRIGHT_CHARACTERS_MAX and _COPYRIGHT.match(block.text) is not None


def _prose(located: Iterable[_Located]) -> int:
    """The number of characters that are no link."""
    return sum(origin.characters - origin.linked for _, origin in located)


def _alphanumeric(text: str) -> str:
    """The letters and digits of ``text`` without the markers of lists, so that Markdown does not affect comparisons."""
    return "".join(filter(str.isalnum, _MARKER.sub("", text)))
