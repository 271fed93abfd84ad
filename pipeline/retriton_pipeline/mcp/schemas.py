"""What the tools answer, and the fields of the gateway's responses that they need; other fields are ignored."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class Passage(BaseModel):
    """A quotation from a document; ``page`` is None where there are no pages."""

    source: str
    title: str
    page: int | None
    score: float
    text: str


class Passages(BaseModel):
    """Passages, best first."""

    passages: list[Passage]


class Source(BaseModel):
    """What ``[number]`` in an answer refers to."""

    number: int
    source: str
    title: str
    page: int | None


class Answer(BaseModel):
    """An answer with citations such as [1], and the passages that it was given."""

    answer: str
    sources: list[Source]


class Document(BaseModel):
    """A stored document."""

    source: str
    title: str


class Documents(BaseModel):
    """Documents of a collection, and the names of all collections."""

    collection: str
    documents: list[Document]
    collections: list[str]


class Skipped(BaseModel):
    """A file or record that was not stored."""

    source: str
    reason: str


class Outcome(BaseModel):
    """How many documents became of a file: one, or one for each record."""

    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    skipped: list[Skipped] = []


class Upload(Outcome):
    """An upload; while its ``state`` is queued or running, the outcome is not known."""

    collection: str
    state: str


class CollectionList(BaseModel):
    """The response to ``GET /v1/collections``."""

    data: list[str]
    default: str


class DocumentList(BaseModel):
    """The response to ``GET /v1/collections/COLLECTION/documents``."""

    data: list[Document]


class Model(BaseModel):
    """A served model."""

    id: str
    kind: str


class ModelList(BaseModel):
    """The response to ``GET /v1/models``."""

    data: list[Model]


class Job(BaseModel):
    """The response to an upload, and to ``GET /v1/jobs/ID``."""

    id: str
    state: str
    result: Outcome | None
    error: dict[str, Any] | None


class Message(BaseModel):
    """What the LLM says."""

    content: str


class Choice(BaseModel):
    """The only choice of a completion."""

    message: Message


class Completion(BaseModel):
    """The response to ``POST /v1/chat/completions``."""

    choices: tuple[Choice]
    sources: list[Source]


class Refusal(BaseModel):
    """The error of a response."""

    message: str


class RefusedResponse(BaseModel):
    """Any response with an error."""

    error: Refusal
