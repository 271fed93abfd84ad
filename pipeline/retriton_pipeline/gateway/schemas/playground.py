"""The Retrieval QA playground of NVIDIA."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from retriton_client import Truncate
from retriton_pipeline.gateway.schemas.common import Text
from retriton_pipeline.gateway.schemas.embeddings import EncodingFormat, Texts


class PlaygroundRequest(BaseModel):
    """Texts to embed; the model is their role."""

    input: Text | Texts
    model: str = Field(description="`query` or `passage`.")
    encoding_format: EncodingFormat = "float"
    truncate: Truncate = "NONE"


class PendingResponse(BaseModel):
    """The result is not available yet."""

    status: Literal["pending-evaluation"]
    reqId: str  # noqa: N815 - NVIDIA's spelling
