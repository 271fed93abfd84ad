"""The texts of nested JSON: sections, messages, chunks, and whatever else holds text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from retriton_pipeline.documents.html.fragments import fragment_blocks, is_html, shown_text, without_references
from retriton_pipeline.documents.model import Block
from retriton_pipeline.documents.records.json_tables import json_table, with_records
from retriton_pipeline.documents.records.rich_text import is_rich_text, rich_text_blocks
from retriton_pipeline.documents.text.plain_text import paragraphs

ID_KEYS = ("_id", "id")
TITLE_KEYS = ("title", "name", "subject", "heading", "headline", "header")
TEXT_KEYS = (
    "text", "content", "body", "contents", "passage", "page_content", "document", "article", "abstract",
    "description", "summary", "body_html", "html", "cooked", "rendered",
)  # fmt: skip
_SPEAKER_KEYS = ("role", "speaker", "from")
_CONTAINERS = {
    "", *TEXT_KEYS, "sections", "chapters", "chunks", "messages", "items", "data", "children", "paragraphs", "pages",
    "documents", "records", "rich_text", "results", "blocks", "parts", "nodes", "elements", "entries", "texts", "turns",
}  # fmt: skip
_LEVEL_MAX = 6
_PROPERTIES = {
    "type",
    "kind",
    "format",
    "lang",
    "language",
    "contentType",
    "content_type",
    "representation",
}  # of a text
_LINK = re.compile(r"<(?:https?|mailto):[^|<>\s]{1,2000}\|([^<>]{1,500})>")  # in messages of Slack
_ROOT = "root"  # the key of a tree of rich text in an editor's state
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
    blocks: list[Block] = []
    _add(blocks, key, value, level)
    return blocks


def _add(blocks: list[Block], key: str, value: object, level: int) -> None:
    if is_rich_text(value):
        found = rich_text_blocks(value)
        blocks += [*(_heading(key, level) if found and key != _ROOT else []), *found]
    elif isinstance(value, dict):
        _add_object(blocks, key, value, level)
    elif runs := _joined_runs(value):
        blocks += _field_blocks(key, runs)
    elif not isinstance(value, list):
        blocks += _field_blocks(key, value)
    elif _is_of_short_fields(value) and (table := json_table(value)):
        blocks += [*_heading(key, level), table]
    elif not any(isinstance(item, dict | list) for item in value):
        blocks += _listed(key, value)
    else:
        blocks += (heading := _heading(key, level))
        start = len(blocks)
        for item in value:
            _add(blocks, "", item, level + len(heading))
        if len(blocks) == start:
            del blocks[start - len(heading) :]


def _is_of_short_fields(values: list[Any]) -> bool:
    """Whether none of the objects in an array has a text or a speaker."""
    keys = {key for value in values if isinstance(value, dict) for key in value}
    return keys.isdisjoint((*TEXT_KEYS, *_SPEAKER_KEYS))


def _joined_runs(value: object) -> str:
    """The text of an array of parts of one text, as Notion has them; empty if it is none."""
    runs = value if isinstance(value, list) else []
    texts = [run.get("plain_text") for run in runs if isinstance(run, dict)]
    return "".join(map(str, texts)) if len(texts) == len(runs) and all(isinstance(text, str) for text in texts) else ""


def _add_object(blocks: list[Block], key: str, value: dict[str, Any], level: int) -> None:
    value = with_records(value)
    title_key, speaker_key = first_key(value, TITLE_KEYS), first_key(value, _SPEAKER_KEYS)
    has_text = bool(first_key(value, TEXT_KEYS))
    blocks += (heading := _heading(value[title_key] if title_key else key, level))
    start = len(blocks)
    is_readable = bool(title_key)
    for name, item in value.items():
        is_described = has_text and (name in _PROPERTIES or _is_number(item))  # it says something about the text
        if is_described or name in (*ID_KEYS, title_key, speaker_key):
            continue
        end = len(blocks)
        _add(blocks, "" if speaker_key and isinstance(item, str) else name, item, level + len(heading))
        is_readable = is_readable or (len(blocks) > end and not _is_number(item))
    if speaker_key and key and len(blocks) == start:
        blocks[start - len(heading) :] = [Block(f"{key}: {value[speaker_key]}")]
    elif not is_readable:
        del blocks[start - len(heading) :]
    elif len(blocks) == start:
        label = f"{key}: " if title_key and key not in _CONTAINERS else ""
        blocks[start - len(heading) :] = [Block(f"{label}{block.text}") for block in heading]
    elif speaker_key:
        blocks[start] = replace(blocks[start], text=f"{value[speaker_key]}: {blocks[start].text}")


def _is_number(value: object) -> bool:
    return not isinstance(value, str | dict | list)


def _heading(text: str, level: int) -> list[Block]:
    if text in _CONTAINERS:
        return []
    return [Block(" ".join(shown_text(text).split()), heading_level=min(level, _LEVEL_MAX))]


def _field_blocks(key: str, value: object) -> list[Block]:
    if isinstance(value, str):
        made = _text_blocks(value) if is_text(value) else []
    else:
        made = [] if value is None else [Block(str(value))]
    if not made or key in _CONTAINERS:
        return made
    if made[0].heading_level or made[0].verbatim:
        return [Block(f"{key}:"), *made]
    return [replace(made[0], text=f"{key}: {made[0].text}"), *made[1:]]


def _text_blocks(text: str) -> list[Block]:
    if is_html(text):
        return fragment_blocks(text)
    return paragraphs(without_references(_LINK.sub(r"\1", text)))


def _listed(key: str, values: list[Any]) -> list[Block]:
    """The values of an array: paragraphs, a list, or on one line if they are short; nothing if none is text."""
    if not any(map(is_text, values)):
        return []
    texts = [" ".join(shown_text(str(value)).split()) for value in values if value is not None]
    if key and key in _CONTAINERS:
        return [block for value in values for block in _field_blocks("", value)]
    if any(len(text.split()) > _LISTED_WORDS_MAX for text in texts):
        return [Block("\n".join([*([f"{key}:"] if key else []), *(f"- {text}" for text in texts)]))]
    return _field_blocks(key, ", ".join(texts))
