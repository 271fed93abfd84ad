"""Retrieval: search options, conversations and passages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, Tag

from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.schemas.common import ONE_OR_MANY, CollectionName, RequestBody, Text
from retriton_pipeline.rag import PromptedQuestion
from retriton_pipeline.retrieval import Passage, Retrieved, SearchOptions, Turn
from retriton_pipeline.retrieval.passage import rounded

MESSAGES_MAX = 4096
_PARTS_MAX = 1024


class SearchBody(RequestBody, SearchOptions):
    """Search options of a request, and the collection."""

    model_config = ConfigDict(extra="ignore", frozen=False)

    collection: CollectionName | None = Field(None, description="The default is that of the gateway.")


class ContentPart(RequestBody):
    """A part of a message's content; only texts are supported, of which a refusal is one."""

    type: str
    text: str = ""
    refusal: str = Field("", description="Of the type `refusal`: what a model said in place of an answer.")

    @property
    def said(self) -> str:
        """The text."""
        return self.refusal if self.type == "refusal" else self.text


Parts = Annotated[list[ContentPart], Field(max_length=_PARTS_MAX, fail_fast=True)]
Content = Annotated[Annotated[str, Tag("[one]")] | Annotated[Parts, Tag("[many]")], ONE_OR_MANY]


class Message(RequestBody):
    """A message of a conversation; those of tools are not supported."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Content | None = None

    @property
    def text(self) -> str:
        """The content as one text."""
        if isinstance(self.content, list):
            return " ".join(part.said for part in self.content)
        return self.content or ""


Messages = Annotated[list[Message], Field(max_length=MESSAGES_MAX, fail_fast=True)]


def check_texts(messages: Sequence[Message], field: str) -> None:
    """Raises `ApiError` if a message of ``field`` is of a tool, or has another content than text, such as an image."""
    for number, message in enumerate(messages):
        if message.role in ("tool", "function"):
            raise unsupported(f"messages of the role {message.role} are", f"{field}.{number}.role")
        parts = message.content if isinstance(message.content, list) else []
        for part in parts:
            if part.type not in ("text", "refusal"):
                raise unsupported(f"content of the type {part.type[:50]!r} is", f"{field}.{number}.content")


def unsupported(what: str, param: str) -> ApiError:
    """The error for a part of OpenAI's protocol that an answer from documents does not have."""
    return ApiError(400, "unsupported", f"{param}: {what} not supported: send text only", param)


def turns(messages: Sequence[Message]) -> list[Turn]:
    """The messages of user and assistant, for retrieval."""
    return [Turn(message.role, message.text) for message in messages if message.role in ("user", "assistant")]


class RetrieveRequest(SearchBody):
    """A question, the conversation before it, and search options."""

    query: Text
    history: Messages = Field(default_factory=list)
    include_prompt: bool = Field(
        False, description="Also return the prompt for an LLM; the passages are then those that fit into it."
    )


class PassageBody(BaseModel):
    """A retrieved passage; ``number`` is that of citations."""

    number: int
    source: str
    title: str
    context: str
    page: int | None
    text: str
    score: float
    scores: dict[str, float]
    chunk_index: int
    document_id: str
    metadata: dict[str, Any]

    @classmethod
    def numbered(cls, passages: Sequence[Passage]) -> list[Self]:
        """The passages with their numbers, from 1."""
        return [cls(number=number, **passage.as_json()) for number, passage in enumerate(passages, 1)]


class RetrieveResponse(BaseModel):
    """The passages, best first, and the milliseconds of every stage; with a prompt, the passages in it."""

    query: str
    passages: list[PassageBody]
    prompt: str | None
    tokens_dropped: int
    latency_ms: dict[str, float]

    @classmethod
    def of(cls, found: Retrieved | PromptedQuestion) -> Self:
        """The response for a question."""
        return cls(
            query=found.question,
            passages=PassageBody.numbered(found.passages),
            prompt=found.prompt.text if isinstance(found, PromptedQuestion) else None,
            tokens_dropped=found.tokens_dropped,
            latency_ms=rounded(found.latency_ms),
        )
