"""The texts of nested JSON: sections, messages, chunks, and whatever else holds text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from retriton_pipeline.documents.model import Block
from retriton_pipeline.documents.text.plain_text import paragraphs

ID_KEYS = ("_id", "id")
TITLE_KEYS = ("title", "name", "subject", "heading", "headline", "header")
TEXT_KEYS = (
    "text", "content", "body", "contents", "passage", "page_content", "document", "article", "abstract",
    "description", "summary",
)  # fmt: skip
_SPEAKER_KEYS = ("role", "speaker", "from")
_CONTAINERS = {
    "", *TEXT_KEYS, "sections", "chapters", "chunks", "messages", "items", "data", "children", "paragraphs", "pages",
    "documents", "records", "results", "blocks", "parts", "nodes", "elements", "entries", "texts", "turns",
}  # fmt: skip
_LEVEL_MAX = 6
_PROPERTIES = {"type", "kind", "format", "lang", "language"}  # of a text
_LISTED_WORDS_MAX = 3  # longer strings of an array are items of a list
_ENCODED = re.compile(r"(?:data:[\w.+-]+/[\w.+-]+;base64,)?[A-Za-z0-9+/=_-]{256,}")  # images, signatures


def is_text(value: object) -> bool:
    """Whether ``value`` is a string that people can read."""
    return isinstance(value, str) and bool(value.strip()) and not _ENCODED.fullmatch(value.strip())


def first_key(value: dict[str, Any], keys: Iterable[str]) -> str:
    """The first of ``keys`` whose value is text; empty if there is none."""
    return next((key for key in keys if is_text(value.get(key))), "")


def nested_blocks(key: str, value: object, level: int = 2) -> list[Block]:
    """The texts below ``value``, in order. Headings are the titles of objects, or the keys of objects and arrays.

    Args:
        key: of ``value``; empty for an element of an array.
        value: any JSON value. Numbers count only beside texts.
        level: of the highest heading.
    """
    if isinstance(value, dict):
        return _object_blocks(key, value, level)
    if not isinstance(value, list):
        return _field_blocks(key, value)
    if not any(isinstance(item, dict | list) for item in value):
        return _listed(key, value)
    heading = _heading(key, level)
    blocks = [block for item in value for block in nested_blocks("", item, level + len(heading))]
    return heading + blocks if blocks else []


def _object_blocks(key: str, value: dict[str, Any], level: int) -> list[Block]:
    title_key, speaker_key = first_key(value, TITLE_KEYS), first_key(value, _SPEAKER_KEYS)
    heading = _heading(value[title_key] if title_key else key, level)
    fields = {name: item for name, item in value.items() if name not in (*ID_KEYS, title_key, speaker_key)}
    nested = {
        name: nested_blocks("" if speaker_key and isinstance(item, str) else name, item, level + len(heading))
        for name, item in fields.items()
    }
    if not title_key and not any(nested[name] for name, item in fields.items() if not _is_number(item)):
        return []
    if first_key(value, TEXT_KEYS):  # numbers beside a text describe it
        nested = {name: nested[name] for name in fields if name not in _PROPERTIES and not _is_number(fields[name])}
    blocks = [block for made in nested.values() for block in made]
    if not blocks:
        return [Block(block.text) for block in heading]
    return heading + (_spoken(value[speaker_key], blocks) if speaker_key else blocks)


def _is_number(value: object) -> bool:
    return not isinstance(value, str | dict | list)


def _heading(text: str, level: int) -> list[Block]:
    return [] if text in _CONTAINERS else [Block(" ".join(text.split()), heading_level=min(level, _LEVEL_MAX))]


def _spoken(speaker: str, blocks: list[Block]) -> list[Block]:
    return [replace(blocks[0], text=f"{speaker}: {blocks[0].text}"), *blocks[1:]]


def _field_blocks(key: str, value: object) -> list[Block]:
    if isinstance(value, str):
        made = paragraphs(value) if is_text(value) else []
    else:
        made = [] if value is None else [Block(str(value))]
    return made if not made or key in _CONTAINERS else [replace(made[0], text=f"{key}: {made[0].text}"), *made[1:]]


def _listed(key: str, values: list[Any]) -> list[Block]:
    """The values of an array: paragraphs, a list, or on one line if they are short; nothing if none is text."""
    if not any(map(is_text, values)):
        return []
    texts = [" ".join(str(value).split()) for value in values if value is not None]
    if key and key in _CONTAINERS:
        return [block for value in values for block in _field_blocks("", value)]
    if any(len(text.split()) > _LISTED_WORDS_MAX for text in texts):
        return [Block("\n".join([*([f"{key}:"] if key else []), *(f"- {text}" for text in texts)]))]
    return _field_blocks(key, ", ".join(texts))
