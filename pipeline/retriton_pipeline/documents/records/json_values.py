"""Parses JSON, and JSON files that hold an array, an object, or lines of objects."""

from __future__ import annotations

import json
from typing import Any

from retriton_pipeline.errors import UnreadableDocument


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
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2 or not lines[0].lstrip().startswith("{") or not lines[0].rstrip().endswith("}"):
            raise
        try:
            return [parse_json(line) for line in lines]  # JSON lines with the suffix .json
        except UnreadableDocument:
            raise error from None
    if not isinstance(value, list | dict):
        raise UnreadableDocument("it is neither a JSON object nor an array of them")
    return value
