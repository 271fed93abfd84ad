"""Compares what is stored of a document with what it shows, so that text is not lost without a word."""

from __future__ import annotations

from dataclasses import replace

from retriton_pipeline.documents.model import Content

_SHARE_MIN = 0.5
_CHARACTERS_MIN = 400  # of a document that is checked


def characters(text: str) -> int:
    """The number of characters besides white space."""
    return len("".join(text.split()))


def with_missing_text(content: Content) -> Content:
    """``content`` with an unreadable part if its blocks have less than half of its visible characters."""
    if content.visible_characters < _CHARACTERS_MIN:
        return content
    stored = sum(characters(block.text) for block in content.blocks)
    if stored >= _SHARE_MIN * content.visible_characters:
        return content
    reason = f"only {stored} of the {content.visible_characters} characters that it shows are stored"
    return replace(content, unreadable_parts={**content.unreadable_parts, "text": reason})
