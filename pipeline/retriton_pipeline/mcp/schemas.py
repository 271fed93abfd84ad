"""What the tools answer: fields of the gateway's responses, without those that a model does not need."""

from __future__ import annotations

from pydantic import BaseModel


class Source(BaseModel):
    """Where a passage is from; ``[number]`` in an answer cites it. ``page`` is None where there are no pages."""

    number: int
    source: str
    title: str
    page: int | None


class Passage(Source):
    """A quotation from a document."""

    score: float
    text: str


class Passages(BaseModel):
    """Passages, best first."""

    passages: list[Passage]


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


class Upload(BaseModel):
    """How many documents became of a file: one, or one for each record. None yet if its state is queued or running."""

    collection: str
    state: str
    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    skipped: list[str] = []
