"""Numbers of paragraphs as they are displayed, which pass through HTML as text after a mark."""

from __future__ import annotations

import re
from dataclasses import replace

from retriton_pipeline.documents.model import Block

NUMBER_MARK = "\ue00f"  # of the private use area
_NUMBER = re.compile(rf"(?:(?:-|\w+[.)]) )?{NUMBER_MARK}")


def with_displayed_number(block: Block) -> Block:
    """``block`` with the numbers after the marks in place of those of the HTML list."""
    if NUMBER_MARK not in block.text:
        return block
    text, header = _NUMBER.sub("", block.text), _NUMBER.sub("", block.header)
    return replace(block, text=text.strip(), header=header)
