"""Checks of values: a comparison that Milvus rejects, or that it takes long for, is an error with a reason."""

from __future__ import annotations

import math

from retriton_pipeline.store.filters.tree import INTEGERS, METADATA, STRINGS, Comparison, Field, Literal

PATTERN_LENGTH_MAX = 128  # characters
_PLACEHOLDERS_MAX = 16  # underscores of a pattern
_INT64 = range(-(2**63), 2**63)


def number(text: str, sign: int) -> int | float | None:
    """Returns the value of a decimal number; None if Milvus cannot represent it."""
    if text.isdigit():
        if (text.startswith("0") and text != "0") or len(text) > 19:
            return None
        return sign * int(text) if sign * int(text) in _INT64 else None
    value = sign * float(text)
    return value if math.isfinite(value) else None


def is_text(field: Field) -> bool:
    """Returns whether the field may hold text."""
    return field.name in STRINGS or (field.name == METADATA and not field.is_length)


def is_integer(field: Field) -> bool:
    """Returns whether the field holds integers only."""
    return field.name in INTEGERS or field.is_length


def comparison(node: Comparison) -> str:
    """Returns what should stand in place of the second operand; empty if it is right."""
    field, other = node.field, node.other
    if isinstance(other, Field):
        plain = field.name != METADATA and other.name != METADATA and is_integer(field) == is_integer(other)
        return "" if plain else "a value, or a field of the same type other than metadata"
    if isinstance(other, bool) and node.operator not in ("==", "!="):
        return "a number or a string: true and false have no order"
    return _value_for(field, other)


def membership(field: Field, values: tuple[Literal, ...]) -> str:
    """Returns what should stand in place of a list; empty if it is right."""
    if field.is_length:
        return "a comparison: array_length has no in"
    if len({_type(value) for value in values}) > 1:
        return "values of one type"
    return next((f"a list with {problem}" for value in values if (problem := _value_for(field, value))), "")


def pattern(value: Literal) -> str:
    """Returns what should stand in place of a pattern; empty if it is right.

    Milvus turns other patterns into regular expressions that backtrack: a pattern with several wildcards takes minutes.
    """
    if not isinstance(value, str) or not value.strip("%"):
        return 'a pattern in quotes, such as "manual%"'
    if len(value) > PATTERN_LENGTH_MAX or value.count("_") > _PLACEHOLDERS_MAX:
        return f"a pattern of at most {PATTERN_LENGTH_MAX} characters with at most {_PLACEHOLDERS_MAX} underscores"
    parts = [part for part in value.split("%") if part]
    if len(parts) > 2 or (len(parts) == 2 and "%" in (value[0], value[-1])):
        return 'a pattern like "a%", "%a", "%a%" or "a%b"; join further ones with and'
    return ""


def of_one_type(values: tuple[Literal, ...]) -> tuple[Literal, ...]:
    """Returns ``values``, integers as floats if there are floats among them: Milvus rejects mixed lists."""
    if any(isinstance(value, float) for value in values):
        return tuple(map(float, values))
    return values


def _value_for(field: Field, value: Literal) -> str:
    if is_integer(field) and (isinstance(value, bool) or not isinstance(value, int)):
        return "an integer"
    if field.name in STRINGS and not isinstance(value, str):
        return "a string in quotes"
    return ""


def _type(value: Literal) -> type:
    return float if isinstance(value, int) and not isinstance(value, bool) else type(value)
