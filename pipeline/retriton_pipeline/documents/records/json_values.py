"""Parses JSON, and JSON files that hold an array, an object, or lines of objects."""

from __future__ import annotations

import json
import re
from typing import Any

from retriton_pipeline.errors import UnreadableDocument

_SPACE = re.compile(r"\s*")


def parse_json(text: str | bytes) -> Any:
    """The value of the JSON ``text``.

    Raises:
        UnreadableDocument: it is not JSON.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableDocument(f"it is not JSON: {error}") from error
    except (RecursionError, ValueError) as error:  # too deep; numbers of thousands of digits; not UTF-8
        raise UnreadableDocument(f"it is not usable JSON: {error}") from error


def parse_json_file(text: str) -> list[object] | dict[str, Any]:
    """The records of a JSON file (the elements of its array, or its lines), or its only object.

    Raises:
        UnreadableDocument: it is neither.
    """
    if not text.strip():
        raise UnreadableDocument("it has no text")
    try:
        value = parse_json(text)
    except UnreadableDocument as error:
        try:
            return _values(text)  # JSON lines with the suffix .json, or objects that are printed one after the other
        except UnreadableDocument:
            raise error from None
    if not isinstance(value, list | dict):
        raise UnreadableDocument("it is neither a JSON object nor an array of them")
    return value


def _values(text: str) -> list[object]:
    """The objects of ``text``, which stand one after the other.

    Raises:
        UnreadableDocument: they are fewer than two, or something else stands between them.
    """
    values: list[object] = []
    decoder = json.JSONDecoder()
    end = len(text) - len(text.lstrip())
    try:
        while end < len(text):
            value, end = decoder.raw_decode(text, end)
            values.append(value)
            match = _SPACE.match(text, end)
            end = match.end() if match else end
    except (RecursionError, ValueError) as error:
        raise UnreadableDocument(f"it is not usable JSON: {error}") from error
    if len(values) < 2 or not isinstance(values[0], dict):
        raise UnreadableDocument("it is no sequence of JSON objects")
    return values
