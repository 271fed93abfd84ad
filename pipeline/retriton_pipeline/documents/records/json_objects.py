"""JSON objects as documents, with the fields of BEIR (``_id``, ``title``, ``text``) or any others."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from retriton_pipeline.documents.html.fragments import shown_text
from retriton_pipeline.documents.model import Block, Content, Scalar
from retriton_pipeline.documents.records.json_tables import json_table, with_records
from retriton_pipeline.documents.records.nested import (
    ID_KEYS,
    TEXT_KEYS,
    TITLE_KEYS,
    first_key,
    is_text,
    nested_blocks,
)
from retriton_pipeline.errors import UnreadableDocument

_METADATA_KEYS = ("metadata", "meta")
_PLACE = re.compile(r"(?:id-)*(?:line|record)-\d+")
_SENTENCE = re.compile(r"\S\s+\S+\s+\S+[.!?]\s*\Z|[。！？]")
_METADATA_CHARACTERS_MAX = 256  # longer values are only text
_METADATA_FIELDS_MAX = 32  # further ones are not kept


@dataclass(frozen=True)
class Record:
    """A record of a file.

    Attributes:
        name: its identifier within the file: the value of ``_id`` or ``id``, or its place.
        content: its title, text and other fields.
        sha256: of its canonical JSON.
    """

    name: str
    content: Content
    sha256: str


def read_record(value: object, place: str) -> Record:
    """The record of a parsed JSON value.

    Args:
        value: an object, or a string: its text.
        place: its name within the file if it has no identifier, such as ``line-3``. Identifiers that look like one get
            the prefix ``id-``, so that both are different.

    Raises:
        UnreadableDocument: it is not an object, or has no text.
    """
    if isinstance(value, str):
        value = {"text": value}
    if not isinstance(value, dict):
        raise UnreadableDocument("it is not a JSON object")
    name = next((str(value[key]) for key in ID_KEYS if isinstance(value.get(key), str | int) and value[key] != ""), "")
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
    name = f"id-{name}" if _PLACE.fullmatch(name) else name
    return Record(name or place, object_content(value), hashlib.sha256(canonical.encode()).hexdigest())


def object_content(value: dict[str, Any]) -> Content:
    """The title, texts and other fields of an object.

    Its texts are the fields for text, long values, and what is nested in it. An object without a field for its text
    consists of all fields whose value has several words or, if there are none, all strings and numbers; of all fields
    if they are more than metadata can hold.

    Raises:
        UnreadableDocument: it has no text.
    """
    value = with_records(value)
    title_key, text_key = first_key(value, TITLE_KEYS), first_key(value, TEXT_KEYS)
    fields = _fields({key: item for key, item in value.items() if key not in (*ID_KEYS, title_key)})
    is_map = not text_key and sum(map(_is_value, fields.values())) > _METADATA_FIELDS_MAX
    blocks = [
        block
        for key, item in fields.items()
        if is_map or _is_prose(key, item, text_key)
        for block in nested_blocks(key, item)
    ]
    title = " ".join(shown_text(value[title_key]).split()) if title_key else ""
    if not blocks:
        blocks = (
            [Block(title)]
            if title
            else [Block(f"{key}: {shown_text(str(item))}") for key, item in fields.items() if _is_value(item)]
        )
        blocks = blocks if title or any(map(is_text, fields.values())) else []
    if not blocks:
        raise UnreadableDocument("it has no text")
    return Content(title, blocks, dict(_metadata(fields, text_key)))


def _is_value(item: object) -> bool:
    return is_text(item) or isinstance(item, int | float)


def rows_content(rows: list[Any]) -> Content | None:
    """The table of an array of rows; None if it is none."""
    table = json_table(rows) if rows and isinstance(rows[0], list) else None
    return Content("", [table]) if table else None


def _fields(value: dict[str, Any]) -> dict[str, Any]:
    """The fields of ``value`` and those below its keys for metadata."""
    below = [item for key in _METADATA_KEYS if isinstance(item := value.get(key), dict)]
    own = {key: item for key, item in value.items() if not (key in _METADATA_KEYS and isinstance(item, dict))}
    return own | {key: item for fields in below for key, item in fields.items() if key not in own}


def _is_prose(key: str, item: object, text_key: str) -> bool:
    """Whether a field holds texts, as opposed to a property of the object whose text is below ``text_key``."""
    listed = _joined(item)
    if listed is None:
        return isinstance(item, dict | list)
    shown = shown_text(listed)
    if key in TEXT_KEYS or len(shown) > _METADATA_CHARACTERS_MAX or _SENTENCE.search(shown):
        return True
    return not text_key and " " in shown.strip()


def _metadata(fields: dict[str, Any], text_key: str) -> Iterator[tuple[str, Scalar]]:
    for key, item in fields.items():
        if key == text_key or (key in TEXT_KEYS and isinstance(item, list)):
            continue
        if isinstance(item, int | float):
            yield key, item
        elif (text := _joined(item)) is not None and len(shown := shown_text(text)) <= _METADATA_CHARACTERS_MAX:
            yield key, shown


def _joined(item: object) -> str | None:
    """A string, or an array of strings as one; None for any other value."""
    if isinstance(item, list) and item and all(isinstance(part, str) for part in item):
        return ", ".join(item)
    return item if isinstance(item, str) else None
