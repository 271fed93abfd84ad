"""Files, as OpenAI defines them."""

from __future__ import annotations

from typing import Literal, Self

from retriton_pipeline.gateway.schemas.listing import Identified
from retriton_pipeline.gateway.storage.files import FileRecord

Purpose = Literal["assistants", "batch", "evals", "fine-tune", "user_data", "vision"]
LIVES_S_MIN, LIVES_S_MAX = 3600, 2_592_000


class FileBody(Identified):
    """An uploaded file."""

    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    expires_at: int | None
    filename: str
    purpose: str
    status: Literal["processed"] = "processed"
    status_details: None = None

    @classmethod
    def of(cls, record: FileRecord) -> Self:
        """The body for a record."""
        return cls(
            id=record.id,
            bytes=record.bytes,
            created_at=record.created_at,
            expires_at=record.expires_at,
            filename=record.filename,
            purpose=record.purpose,
        )
