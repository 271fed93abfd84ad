"""Values and fields that mean the same in several APIs. Choices may be in any case; an empty one is the default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Discriminator, GetCoreSchemaHandler, GetJsonSchemaHandler, Tag
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_before_validator_function

from retriton_client import Role, Truncate
from retriton_pipeline.gateway.errors import ApiError

T = TypeVar("T")


class _Spelled:
    """A choice in any case; an empty one is null, where that is allowed."""

    def __init__(self, fold: Callable[[str], str]) -> None:
        self._fold = fold

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_before_validator_function(self._folded, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The OpenAPI document allows the empty choice; it cannot say that case does not matter."""
        schema = handler(core)
        kinds = schema.get("anyOf", [])
        for kind in kinds:
            if "enum" in kind:
                kind["enum"] = [*kind["enum"], ""]
            elif "$ref" in kind:  # an enumeration with a schema of its own, which other fields share
                schema["anyOf"] = [*kinds, {"type": "string", "const": ""}]
        return schema

    def _folded(self, value: Any) -> Any:
        return (self._fold(value) or None) if isinstance(value, str) else value


LOWER, UPPER = _Spelled(str.lower), _Spelled(str.upper)
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
