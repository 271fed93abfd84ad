"""OpenAI's filters over attributes, and what they are as filter expressions over metadata."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.schemas.common import RequestBody
from retriton_pipeline.gateway.services.fields import named_filter
from retriton_pipeline.store.filters import parse
from retriton_pipeline.store.filters.tokens import LENGTH_MAX

DEPTH_MAX = 8
CONDITIONS_MAX = 64
_VALUES_MAX = 1024
_OPERATORS = {"eq": "==", "ne": "!=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "in": "in", "nin": "not in"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_Key = Annotated[str, Field(min_length=1, max_length=64)]
_Text = Annotated[str, Field(max_length=512)]
_Scalar = _Text | bool | int | float
_Values = Annotated[list[_Text | int | float], Field(min_length=1, max_length=_VALUES_MAX, fail_fast=True)]


class ComparisonFilter(RequestBody):
    """A condition on an attribute."""

    type: Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"]
    key: _Key
    value: _Scalar | _Values


class CompoundFilter(RequestBody):
    """Several filters, all or one of which must hold."""

    type: Literal["and", "or"]
    filters: list[FileFilter] = Field(min_length=1, max_length=CONDITIONS_MAX)


def _shape(value: Any) -> str:
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return "[compound]" if kind in ("and", "or") else "[comparison]"


FileFilter = Annotated[
    Annotated[ComparisonFilter, Tag("[comparison]")] | Annotated[CompoundFilter, Tag("[compound]")],
    Discriminator(_shape),
]
CompoundFilter.model_rebuild()


def expression_of(filter_: ComparisonFilter | CompoundFilter | None) -> str:
    """The filter expression for a collection; empty without a filter.

    Raises:
        ApiError: the filter is nested too deeply, has too many conditions or values, or a value that its type does not
            compare.
    """
    if filter_ is None:
        return ""
    if (count := sum(1 for _ in _conditions(filter_, 1))) > CONDITIONS_MAX:
        raise _invalid(f"there are {count} conditions, the limit is {CONDITIONS_MAX}")
    expression = _rendered(filter_)
    if len(expression) > LENGTH_MAX:
        raise _invalid(f"they have {len(expression)} characters as one expression, the limit is {LENGTH_MAX}")
    with named_filter("filters"):
        parse(expression)
    return expression


def _conditions(filter_: ComparisonFilter | CompoundFilter, depth: int) -> Iterator[ComparisonFilter]:
    if depth > DEPTH_MAX:
        raise _invalid(f"they are nested more than {DEPTH_MAX} deep")
    if isinstance(filter_, ComparisonFilter):
        yield filter_
        return
    for part in filter_.filters:
        yield from _conditions(part, depth + 1)


def _rendered(filter_: ComparisonFilter | CompoundFilter) -> str:
    if isinstance(filter_, CompoundFilter):
        return f"({f' {filter_.type} '.join(map(_rendered, filter_.filters))})"
    if problem := _problem(filter_):
        raise _invalid(f"{filter_.type} compares {filter_.key!r} with {problem}")
    key, value = (json.dumps(part, ensure_ascii=False) for part in (filter_.key, filter_.value))
    return f"metadata[{key}] {_OPERATORS[filter_.type]} {value}"


def _problem(filter_: ComparisonFilter) -> str:
    """What the condition compares with, if its value is something else; else empty."""
    has_list = filter_.type in ("in", "nin")
    if isinstance(filter_.value, list) != has_list:
        return "a list" if has_list else "one value"
    values = filter_.value if isinstance(filter_.value, list) else [filter_.value]
    if any(_CONTROL.search(part) for part in (filter_.key, *values) if isinstance(part, str)):
        return "text without control characters"
    if len({isinstance(value, str) for value in values}) > 1:
        return "values of one type: texts or numbers"
    if filter_.type not in ("eq", "ne") and any(isinstance(value, bool) for value in values):
        return "numbers or texts: true and false have no order"
    return ""


def _invalid(reason: str) -> ApiError:
    return ApiError(400, "invalid_request", f"filters: {reason}", "filters")
