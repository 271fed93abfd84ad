"""The Retrieval QA playground of NVIDIA."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from retriton_pipeline.gateway.schemas.common import TRUNCATE, RequestBody
from retriton_pipeline.gateway.schemas.embeddings import EncodingFormat, OneOrManyTexts
from retriton_pipeline.gateway.schemas.synonyms import Side


class PlaygroundRequest(RequestBody):
    """Texts to embed; the model is their role."""

    input: OneOrManyTexts
    model: str = Field(description="`query` or `passage`.")
    encoding_format: EncodingFormat = Field(None, description="`float` is the default.")
    truncate: Side = TRUNCATE


class PendingResponse(BaseModel):
    """The result is not available yet."""

    status: Literal["pending-evaluation"]
    reqId: str  # noqa: N815 - NVIDIA's spelling
