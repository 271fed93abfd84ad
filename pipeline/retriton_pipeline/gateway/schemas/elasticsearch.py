"""Embeddings and rankings as Elasticsearch's inference service defines them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Discriminator, Field, Tag

from retriton_client import Role
from retriton_pipeline.gateway.schemas.common import ONE_OR_MANY, Count, RequestBody, Text
from retriton_pipeline.gateway.schemas.embeddings import OneOrManyTexts
from retriton_pipeline.gateway.schemas.ranking import Overlapping, Passages
from retriton_pipeline.gateway.schemas.synonyms import InputType, role_of

OneOrManyPassages = Annotated[Annotated[Text, Tag("[one]")] | Annotated[Passages, Tag("[many]")], ONE_OR_MANY]


class TextEmbeddingSettings(RequestBody):
    """Settings of one request."""

    input_type: InputType = None


class TextEmbeddingRequest(RequestBody):
    """Texts to embed."""

    input: OneOrManyTexts
    input_type: InputType = Field(
        None, description="`search` is a query, the others are passages; before that of `task_settings`."
    )
    task_settings: TextEmbeddingSettings | None = None

    @property
    def texts(self) -> list[str]:
        """The texts."""
        return [self.input] if isinstance(self.input, str) else self.input

    @property
    def role(self) -> Role | None:
        """The role of the texts; None if it is not said."""
        return role_of(self.input_type or (self.task_settings or TextEmbeddingSettings()).input_type)


class TextEmbedding(BaseModel):
    """The vector of a text."""

    embedding: list[float]


class TextEmbeddingResponse(BaseModel):
    """Vectors in the order of the texts."""

    text_embedding: list[TextEmbedding]


class RerankSettings(RequestBody):
    """Settings of one request."""

    top_n: Count | None = None
    return_documents: bool | None = None


class RerankRequest(RerankSettings):
    """Texts to rank; fields are used before those of `task_settings`."""

    query: Text
    input: OneOrManyPassages
    task_settings: RerankSettings = Field(default_factory=RerankSettings)

    @property
    def texts(self) -> list[str]:
        """The texts."""
        return [self.input] if isinstance(self.input, str) else self.input

    @property
    def count(self) -> int | None:
        """How many of the best are returned; None for all."""
        return self.top_n or self.task_settings.top_n

    @property
    def has_texts(self) -> bool:
        """Whether the texts are returned, too."""
        asked = self.return_documents
        return bool(self.task_settings.return_documents if asked is None else asked)


def _task(value: Any) -> str:
    return "[rerank]" if isinstance(value, dict) and value.get("query") is not None else "[text_embedding]"


InferenceRequest = Annotated[
    Annotated[RerankRequest, Tag("[rerank]")] | Annotated[TextEmbeddingRequest, Tag("[text_embedding]")],
    Discriminator(_task),
    Overlapping(),
]
"""A request to an address without a task: one with a query is to rank."""


class RankedText(BaseModel):
    """The index of a text in the request, and its score, a probability."""

    index: int
    relevance_score: float
    text: str = Field("", description="Only with `return_documents`.")


class RerankResponse(BaseModel):
    """The best texts, best first."""

    rerank: list[RankedText]
