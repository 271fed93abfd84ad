"""Collections and their documents."""

from __future__ import annotations

from pydantic import BaseModel


class CollectionList(BaseModel):
    """The names of all collections, and the default of requests, which may not exist yet."""

    data: list[str]
    default: str


class DocumentBody(BaseModel):
    """A stored document."""

    id: str
    source: str
    title: str


class DocumentList(BaseModel):
    """A page of a collection's documents."""

    data: list[DocumentBody]
