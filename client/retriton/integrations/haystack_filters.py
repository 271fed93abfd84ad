"""Haystack's metadata filters as a filter of Retriton; knows only their shape, nested dictionaries."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from retriton_client import InvalidRequest

_OWN = ("source", "title", "context", "page", "document_id", "chunk_index")  # the rest is metadata of documents
_COMPARISONS = ("==", "!=", ">", ">=", "<", "<=", "in", "not in")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def expression(filters: Mapping[str, Any]) -> str:
    """The same condition as a filter expression.

    Raises:
        InvalidRequest: an operator, a field or a value is none of Haystack's filters.
    """
    operator = filters.get("operator")
    if "conditions" in filters:
        return _junction(operator, filters["conditions"])
    if operator not in _COMPARISONS or not isinstance(filters.get("field"), str) or "value" not in filters:
        raise InvalidRequest(f"the filter {dict(filters)!r} needs field, value and an operator: {_COMPARISONS}")
    field, value = _field(filters["field"]), filters["value"]
    if value is None and operator in ("==", "!="):
        return f"not exists {field}" if operator == "==" else f"exists {field}"
    return f"{field} {operator} {_literal(value)}"


def _junction(operator: object, conditions: Sequence[Mapping[str, Any]]) -> str:
    if operator not in ("AND", "OR", "NOT") or not conditions:
        raise InvalidRequest(f"conditions are joined by AND, OR or NOT, and there is at least one; not {operator!r}")
    joined = (" or " if operator == "OR" else " and ").join(f"({expression(part)})" for part in conditions)
    return f"not ({joined})" if operator == "NOT" else joined


def _field(name: str) -> str:
    """``meta.year`` or ``year``; deeper names, such as ``meta.author.name``, are paths."""
    path = name.removeprefix("meta.").split(".")
    return path[0] if path[0] in _OWN and len(path) == 1 else "metadata" + "".join(f"[{_literal(key)}]" for key in path)


def _literal(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_literal, value))}]"
    if not isinstance(value, str | bool | int | float):
        raise InvalidRequest(f"the value {value!r} of a filter is no text, number or boolean, nor a list of them")
    if isinstance(value, str) and _CONTROL.search(value):
        raise InvalidRequest(f"the value {value!r} of a filter has control characters")
    return json.dumps(value, ensure_ascii=False)
