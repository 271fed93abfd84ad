"""Models that requests can name."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class ModelBody(BaseModel):
    """A model in OpenAI's format; ``kind`` is embedding, reranking or chat."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "retriton"
    kind: str


class ModelList(BaseModel):
    """All models."""

    object: Literal["list"] = "list"
    data: list[ModelBody]
