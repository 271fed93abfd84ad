"""JSON objects as documents: in the layout of BEIR (``_id``, ``title``, ``text``), or whatever fields they have."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from retriton_pipeline.documents.model import Block, Content, Scalar
from retriton_pipeline.documents.plain_text import paragraphs
from retriton_pipeline.errors import UnreadableDocument

_IDS = ("_id", "id")
_TITLES = ("title", "name", "subject")
_TEXTS = (
    "text", "content", "body", "contents", "passage", "page_content", "document", "article", "abstract",
    "description", "summary",
)  # fmt: skip
_NESTED = ("metadata", "meta")
_METADATA_CHARACTERS_MAX = 256  # a longer value is text, not a property


@dataclass(frozen=True)
class Record:
    """A record of a file.

    Attributes:
        name: its identifier inside the file: its own, or its number.
        content: what it says.
        sha256: of its canonical JSON.
    """

    name: str
    content: Content
    sha256: str


def parse_json(text: str | bytes) -> Any:
    """The value that ``text`` is the JSON of.

    Raises:
        UnreadableDocument: it is not JSON.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableDocument(f"it is not JSON: {error}") from error
    except (RecursionError, ValueError) as error:  # nested without end; numbers of thousands of digits; not UTF-8
        raise UnreadableDocument(f"it is not usable JSON: {error}") from error


def read_record(value: object, number: int) -> Record:
    """The record that ``value`` is, the ``number``-th of its file.

    Raises:
        UnreadableDocument: it is not an object, or has no text.
    """
    if isinstance(value, str):
        value = {"text": value}
    if not isinstance(value, dict):
        raise UnreadableDocument("it is not a JSON object")
    name = next((str(value[key]) for key in _IDS if isinstance(value.get(key), str | int) and value[key] != ""), "")
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return Record(name or str(number), object_content(value), hashlib.sha256(canonical.encode()).hexdigest())


def object_content(value: dict[str, Any]) -> Content:
    """Title, text and the other fields of an object.

    Raises:
        UnreadableDocument: it has no text.
    """
    title_key = next((key for key in _TITLES if _is_text(value.get(key))), "")
    text_key = next((key for key in _TEXTS if _is_text(value.get(key))), "")
    rest = {key: item for key, item in value.items() if key not in (*_IDS, title_key, text_key)}
    fields = dict(_flat(rest))
    if text_key:
        blocks = paragraphs(value[text_key])
    else:
        long = {key: item for key, item in fields.items() if isinstance(item, str) and " " in item.strip()}
        blocks = [Block(f"{key}: {item.strip()}") for key, item in long.items()]
    title = " ".join(value[title_key].split()) if title_key else ""
    if not blocks and not title:
        raise UnreadableDocument("it has no text")
    return Content(title, blocks or [Block(title)], {key: item for key, item in fields.items() if _is_short(item)})


def array_records(text: str) -> list[object] | dict[str, Any]:
    """The records of a ``.json`` file: the elements of its array, or its lines; or the one object that it is.

    Raises:
        UnreadableDocument: it is neither.
    """
    if not text.strip():
        raise UnreadableDocument("it has no text")
    try:
        value = parse_json(text)
    except UnreadableDocument as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2 or not lines[0].lstrip().startswith("{") or not lines[0].rstrip().endswith("}"):
            raise
        try:
            return [parse_json(line) for line in lines]  # JSON lines by another name
        except UnreadableDocument:
            raise error from None
    if not isinstance(value, list | dict):
        raise UnreadableDocument("it is neither a JSON object nor an array of them")
    return value


def _flat(value: dict[str, Any]) -> Iterator[tuple[str, Scalar]]:
    for key, item in value.items():
        if isinstance(item, str | int | float):
            yield key, item
        elif isinstance(item, list) and item and all(isinstance(part, str | int | float) for part in item):
            if all(isinstance(part, str) for part in item):
                yield key, ", ".join(item)
        elif key in _NESTED and isinstance(item, dict):
            yield from _flat({name: part for name, part in item.items() if not isinstance(part, dict)})


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_short(value: Scalar) -> bool:
    return not isinstance(value, str) or len(value) <= _METADATA_CHARACTERS_MAX
