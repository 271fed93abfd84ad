"""Haystack's metadata filters as a filter of Retriton; knows only their shape, nested dictionaries."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from retriton_client import InvalidRequest

_OWN = ("source", "title", "context", "page", "document_id", "chunk_index")  # the rest is metadata of documents
_OPPOSITE = {"==": "!=", ">": "<=", ">=": "<", "in": "not in"}
_OPPOSITE |= {opposite: operator for operator, opposite in _OPPOSITE.items()}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def expression(filters: Mapping[str, Any], *, negated: bool = False) -> str:
    """The same condition, or with ``negated`` its opposite, as a filter expression.

    A negation becomes the opposite comparisons, since Milvus Lite cannot negate all of them. Unlike in Haystack's own
    store, no comparison holds for a document without the field.

    Raises:
        InvalidRequest: an operator, a field or a value is none of Haystack's filters.
    """
    operator = filters.get("operator")
    if "conditions" in filters:
        return _junction(operator, filters["conditions"], negated)
    if operator not in _OPPOSITE or not isinstance(filters.get("field"), str) or "value" not in filters:
        raise InvalidRequest(f"the filter {dict(filters)!r} needs field, value and an operator: {', '.join(_OPPOSITE)}")
    operator = _OPPOSITE[operator] if negated else operator
    field, value = _field(filters["field"]), filters["value"]
    if value is None and operator in ("==", "!="):
        return f"not exists {field}" if operator == "==" else f"exists {field}"
    return f"{field} {operator} {_literal(value)}"


def _junction(operator: object, conditions: Sequence[Mapping[str, Any]], negated: bool) -> str:
    if operator not in ("AND", "OR", "NOT") or not conditions:
        raise InvalidRequest(f"conditions are joined by AND, OR or NOT, and there is at least one; not {operator!r}")
    negated ^= operator == "NOT"
    joiner = " or " if (operator == "OR") != negated else " and "
    return joiner.join(f"({expression(part, negated=negated)})" for part in conditions)


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
