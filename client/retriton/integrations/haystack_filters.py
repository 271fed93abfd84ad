"""Haystack's metadata filters as a filter of Retriton; knows only their shape, nested dictionaries."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from retriton_client import InvalidRequest

_OWN = ("source", "title", "context", "page", "document_id", "chunk_index")  # the rest is metadata of documents
_OPPOSITE = {"==": "!=", ">": "<=", ">=": "<", "in": "not in"}
_OPPOSITE |= {opposite: operator for operator, opposite in _OPPOSITE.items()}
_DEPTH_MAX = 12  # as the gateway
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def expression(filters: Mapping[str, Any], *, negated: bool = False, depth: int = 1) -> str:
    """The same condition, or with ``negated`` its opposite, as a filter expression.

    A negation becomes the opposite comparisons, since Milvus Lite cannot negate all of them. Unlike in Haystack's own
    store, no comparison holds for a document without the field.

    Raises:
        InvalidRequest: an operator, a field or a value is none of Haystack's filters.
    """
    if not isinstance(filters, Mapping):
        raise InvalidRequest(f"the filter {filters!r:.60} is no dictionary")
    if depth > _DEPTH_MAX:
        raise InvalidRequest(f"filters are nested more than {_DEPTH_MAX} deep")
    if "conditions" in filters:
        return _junction(filters.get("operator"), filters["conditions"], negated, depth + 1)
    return _comparison(filters, negated)


def _comparison(filters: Mapping[str, Any], negated: bool) -> str:
    operator, field, value = (filters.get(name) for name in ("operator", "field", "value"))
    if (
        not isinstance(operator, str)
        or operator not in _OPPOSITE
        or not isinstance(field, str)
        or "value" not in filters
    ):
        raise InvalidRequest(f"the filter {dict(filters)!r} needs field, value and an operator: {', '.join(_OPPOSITE)}")
    operator, name = _OPPOSITE[operator] if negated else operator, _field(field)
    if value is None and operator in ("==", "!="):
        return f"not exists {name}" if operator == "==" else f"exists {name}"
    if (operator in ("in", "not in")) != isinstance(value, list | tuple | np.ndarray):
        raise InvalidRequest(f"the filter {dict(filters)!r} compares with {value!r:.60}: in and not in need a list")
    return f"{name} {operator} {_literal(value)}"


def _junction(operator: object, conditions: Any, negated: bool, depth: int) -> str:
    if operator not in ("AND", "OR", "NOT") or not isinstance(conditions, list | tuple) or not conditions:
        raise InvalidRequest(f"conditions are joined by AND, OR or NOT, and there is at least one; not {operator!r}")
    negated ^= operator == "NOT"
    joiner = " or " if (operator == "OR") != negated else " and "
    return joiner.join(f"({expression(part, negated=negated, depth=depth)})" for part in conditions)


def _field(name: str) -> str:
    """``meta.year`` or ``year``; deeper names, such as ``meta.author.name``, are paths."""
    path = name.removeprefix("meta.").split(".")
    return path[0] if path[0] in _OWN and len(path) == 1 else "metadata" + "".join(f"[{_literal(key)}]" for key in path)


def _literal(value: Any) -> str:
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_scalar, value))}]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        value = str.__str__(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise InvalidRequest(f"the value {value!r} of a filter is no number that can be compared")
    if not isinstance(value, str | bool | int | float):
        raise InvalidRequest(f"the value {value!r} of a filter is no text, number or boolean, nor a list of them")
    if isinstance(value, str) and _CONTROL.search(value):
        raise InvalidRequest(f"the value {value!r} of a filter has control characters")
    return json.dumps(value, ensure_ascii=False)
