"""Lists in OpenAI's shape, and what their requests have in common."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_before_validator_function

from retriton_pipeline.gateway.schemas.common import RequestBody
from retriton_pipeline.gateway.schemas.synonyms import LOWER
from retriton_pipeline.gateway.storage.pages import Cursor, Order


class EmptyIs:
    """An empty number in a query is its default, as null is in a body."""

    def __init__(self, default: int) -> None:
        self._default = default

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_before_validator_function(lambda value: value or self._default, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [handler(core), {"type": "string", "const": ""}]}


Limit = Annotated[int, Field(ge=1, le=100), EmptyIs(20), Query(description="Entries of the page.")]
Ordered = Annotated[Order | None, LOWER, Query(description="`desc`: the latest first; the default.")]
After = Annotated[str, Query(description="The id of the entry before the page.")]
Before = Annotated[str, Query(description="The id of the entry after the page.")]


def _cursor(limit: Limit = 20, order: Ordered = None, after: After = "", before: Before = "") -> Cursor:
    return Cursor(limit, order or "desc", after, before)


Requested = Annotated[Cursor, Depends(_cursor)]
"""The page that a request asks for."""


class Identified(BaseModel):
    """What has an id."""

    id: str


Entry = TypeVar("Entry", bound=Identified)


class Listing(BaseModel, Generic[Entry]):
    """A page of entries; `has_more` says whether others follow."""

    object: Literal["list"] = "list"
    data: list[Entry]
    first_id: str | None
    last_id: str | None
    has_more: bool

    @classmethod
    def of(cls, entries: list[Entry], has_more: bool) -> Self:
        """The page with these entries."""
        first, last = (entries[0].id, entries[-1].id) if entries else (None, None)
        return cls(data=entries, first_id=first, last_id=last, has_more=has_more)


class Deleted(BaseModel):
    """The response to a deletion."""

    id: str
    object: str
    deleted: Literal[True] = True


class ExpiresAfter(RequestBody):
    """When a vector store expires."""

    anchor: Literal["last_active_at"]
    days: int = Field(ge=1, le=365)


MetadataKey = Annotated[str, Field(min_length=1, max_length=64)]
MetadataText = Annotated[str, Field(max_length=512)]
Metadata = Annotated[dict[MetadataKey, MetadataText], Field(max_length=16)]
Attributes = Annotated[dict[MetadataKey, MetadataText | bool | int | float], Field(max_length=16)]
