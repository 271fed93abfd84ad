"""Values and fields that mean the same in several APIs. Choices may be in any case; an empty one is the default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Discriminator, Tag

from retriton_client import Role, Truncate
from retriton_pipeline.gateway.errors import ApiError

T = TypeVar("T")


def _spelled(fold: Callable[[str], str]) -> BeforeValidator:
    return BeforeValidator(lambda value: (fold(value) or None) if isinstance(value, str) else value)


LOWER, UPPER = _spelled(str.lower), _spelled(str.upper)
InputType = Annotated[
    Literal[
        "query",
        "passage",
        "document",
        "search_query",
        "search_document",
        "search",
        "ingest",
        "retrieval.query",
        "retrieval.passage",
        "code.query",
        "code.passage",
        "text-matching",
        "classification",
        "clustering",
        "separation",
    ]
    | None,
    LOWER,
]
_QUERIES = ("query", "search_query", "search", "retrieval.query", "code.query")


def role_of(name: str | None) -> Role | None:
    """The role of texts; those that are compared with each other, as for clustering, are passages."""
    if name is None:
        return None
    return "query" if name in _QUERIES else "passage"


def _shape(value: Any) -> str:
    return "[boolean]" if isinstance(value, bool) else "[side]"


Side = Annotated[Truncate | None, UPPER]
BooleanOrSide = Annotated[Annotated[bool, Tag("[boolean]")] | Annotated[Side, Tag("[side]")], Discriminator(_shape)]


def side_of(truncate: bool | Truncate | None) -> Truncate | None:
    """Where long texts are truncated; True is at the end."""
    if isinstance(truncate, bool):
        return "END" if truncate else "NONE"
    return truncate


def agreed(**fields: T | None) -> T | None:
    """The value that fields of the same meaning have; None if none of them has any.

    Raises:
        ApiError: they contradict each other.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    if len(set(given.values())) > 1:
        message = f"{' and '.join(given)} contradict each other: send one of them"
        raise ApiError(400, "invalid_request", message, next(iter(given)))
    return next(iter(given.values()), None)
