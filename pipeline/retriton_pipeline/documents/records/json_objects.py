"""JSON objects as documents, with the fields of BEIR (``_id``, ``title``, ``text``) or any others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from retriton_pipeline.documents.model import Block, Content, Scalar
from retriton_pipeline.documents.text.plain_text import paragraphs
from retriton_pipeline.errors import UnreadableDocument

_ID_KEYS = ("_id", "id")
_TITLE_KEYS = ("title", "name", "subject")
_TEXT_KEYS = (
    "text", "content", "body", "contents", "passage", "page_content", "document", "article", "abstract",
    "description", "summary",
)  # fmt: skip
_METADATA_KEYS = ("metadata", "meta")
_METADATA_CHARACTERS_MAX = 256  # longer values are text


@dataclass(frozen=True)
class Record:
    """A record of a file.

    Attributes:
        name: its identifier within the file: the value of ``_id`` or ``id``, or its number.
        content: its title, text and other fields.
        sha256: of its canonical JSON.
    """

    name: str
    content: Content
    sha256: str


def read_record(value: object, number: int) -> Record:
    """The record of a parsed JSON value.

    Args:
        value: an object, or a string: its text.
        number: its number in the file, from 1.

    Raises:
        UnreadableDocument: it is not an object, or has no text.
    """
    if isinstance(value, str):
        value = {"text": value}
    if not isinstance(value, dict):
        raise UnreadableDocument("it is not a JSON object")
    name = next((str(value[key]) for key in _ID_KEYS if isinstance(value.get(key), str | int) and value[key] != ""), "")
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return Record(name or str(number), object_content(value), hashlib.sha256(canonical.encode()).hexdigest())


def object_content(value: dict[str, Any]) -> Content:
    """The title, text and other fields of an object.

    An object without a field for its text consists of all fields whose value has several words.

    Raises:
        UnreadableDocument: it has no text.
    """
    title_key = next((key for key in _TITLE_KEYS if _is_text(value.get(key))), "")
    text_key = next((key for key in _TEXT_KEYS if _is_text(value.get(key))), "")
    rest = {key: item for key, item in value.items() if key not in (*_ID_KEYS, title_key, text_key)}
    fields = dict(_scalar_fields(rest))
    if text_key:
        blocks = paragraphs(value[text_key])
    else:
        prose = {key: item for key, item in fields.items() if isinstance(item, str) and " " in item.strip()}
        blocks = [Block(f"{key}: {item.strip()}") for key, item in prose.items()]
    title = " ".join(value[title_key].split()) if title_key else ""
    if not blocks and not title:
        raise UnreadableDocument("it has no text")
    return Content(title, blocks or [Block(title)], {key: item for key, item in fields.items() if _is_short(item)})


def _scalar_fields(value: dict[str, Any]) -> Iterator[tuple[str, Scalar]]:
    for key, item in value.items():
        if isinstance(item, str | int | float):
            yield key, item
        elif isinstance(item, list) and item and all(isinstance(part, str) for part in item):
            yield key, ", ".join(item)
        elif key in _METADATA_KEYS and isinstance(item, dict):
            yield from _scalar_fields({name: part for name, part in item.items() if not isinstance(part, dict)})


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_short(value: Scalar) -> bool:
    return not isinstance(value, str) or len(value) <= _METADATA_CHARACTERS_MAX
