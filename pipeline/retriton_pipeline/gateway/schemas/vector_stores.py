"""Vector stores and their files, as OpenAI defines them."""

from __future__ import annotations

import time
from typing import Annotated, Literal, Self

from fastapi import Query
from pydantic import BaseModel, Discriminator, Field, Tag

from retriton_pipeline.chunking import ChunkSize
from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.schemas.common import RequestBody
from retriton_pipeline.gateway.schemas.listing import Attributes, ExpiresAfter, Identified, Metadata
from retriton_pipeline.gateway.schemas.synonyms import LOWER
from retriton_pipeline.gateway.services.attachments import NewAttachment
from retriton_pipeline.gateway.storage.attachments import Attachment, AttachmentStatus, Batch, Counts
from retriton_pipeline.gateway.storage.vector_stores import VectorStoreRecord

BATCH_MAX = 2000
FileId = Annotated[str, Field(min_length=1, max_length=100)]
StatusFilter = Annotated[
    AttachmentStatus | None, LOWER, Query(alias="filter", description="Only files of this status.")
]
FileIds = Annotated[list[FileId], Field(max_length=BATCH_MAX, fail_fast=True)]


class StaticChunks(RequestBody):
    """Chunks of a chosen size; at most what the encoder takes."""

    max_chunk_size_tokens: int = Field(ge=100, le=4096)
    chunk_overlap_tokens: int = Field(ge=0, le=2048)


class StaticStrategy(RequestBody):
    """Chunks of a chosen size."""

    type: Literal["static"]
    static: StaticChunks


class AutoStrategy(RequestBody):
    """Chunks of the gateway's size."""

    type: Literal["auto"]


Strategy = Annotated[
    Annotated[AutoStrategy, Tag("auto")] | Annotated[StaticStrategy, Tag("static")], Discriminator("type")
]


class VectorStoreRequest(RequestBody):
    """A new vector store, and the files to begin with."""

    name: str | None = Field(None, max_length=256)
    description: str | None = Field(None, max_length=512, description="Ignored.")
    metadata: Metadata | None = None
    expires_after: ExpiresAfter | None = None
    file_ids: FileIds = Field(default_factory=list)
    chunking_strategy: Strategy | None = None


class VectorStoreChanges(RequestBody):
    """Changes of a vector store; what is left out stays as it is."""

    name: str | None = Field(None, max_length=256)
    metadata: Metadata | None = None
    expires_after: ExpiresAfter | None = None


class AttachmentRequest(RequestBody):
    """A file to attach; filters of searches can name its attributes."""

    file_id: FileId
    attributes: Attributes | None = None
    chunking_strategy: Strategy | None = None

    @property
    def attachment(self) -> NewAttachment:
        """What is asked for. Raises `ApiError` if the overlap of chunks is more than half of them."""
        return NewAttachment(self.file_id, self.attributes or {}, size_of_chunks(self.chunking_strategy))


class AttachmentChanges(RequestBody):
    """The attributes of a file, in place of those that it has."""

    attributes: Attributes | None = None


class BatchRequest(RequestBody):
    """Files to attach: `file_ids`, with the same attributes, or `files`, each with its own."""

    file_ids: FileIds | None = None
    files: Annotated[list[AttachmentRequest], Field(max_length=BATCH_MAX, fail_fast=True)] | None = None
    attributes: Attributes | None = None
    chunking_strategy: Strategy | None = None

    @property
    def attachments(self) -> list[NewAttachment]:
        """What is asked for. Raises `ApiError` if it is both, or nothing; or as `AttachmentRequest`."""
        if bool(self.file_ids) == bool(self.files):
            raise ApiError(400, "invalid_request", "send either file_ids or files, with at least one file", "file_ids")
        if self.files:
            return [file.attachment for file in self.files]
        size = size_of_chunks(self.chunking_strategy)
        return [NewAttachment(file_id, self.attributes or {}, size) for file_id in self.file_ids or ()]


def size_of_chunks(strategy: StaticStrategy | AutoStrategy | None) -> ChunkSize | None:
    """The size of chunks; None for the gateway's. Raises `ApiError` if the overlap is more than half of it."""
    if not isinstance(strategy, StaticStrategy):
        return None
    tokens, overlap = strategy.static.max_chunk_size_tokens, strategy.static.chunk_overlap_tokens
    if overlap > tokens // 2:
        message = f"chunk_overlap_tokens is {overlap}, it must be at most half of {tokens}"
        raise ApiError(400, "invalid_request", message, "chunking_strategy.static.chunk_overlap_tokens")
    return ChunkSize(tokens, overlap)


class FileCounts(BaseModel):
    """The number of files by status."""

    in_progress: int
    completed: int
    failed: int
    cancelled: int
    total: int

    @classmethod
    def of(cls, counts: Counts) -> Self:
        """The body for these counts."""
        return cls(**{status.value: counts.by_status.get(status, 0) for status in AttachmentStatus}, total=counts.total)


class VectorStoreBody(Identified):
    """A vector store."""

    object: Literal["vector_store"] = "vector_store"
    created_at: int
    name: str
    usage_bytes: int
    file_counts: FileCounts
    status: Literal["expired", "in_progress", "completed"]
    expires_after: ExpiresAfter | None
    expires_at: int | None
    last_active_at: int
    metadata: dict[str, str]

    @classmethod
    def of(cls, record: VectorStoreRecord, counts: Counts) -> Self:
        """The body for a record."""
        days = record.expires_days
        is_busy = counts.by_status.get(AttachmentStatus.IN_PROGRESS, 0) > 0
        return cls(
            id=record.id,
            created_at=record.created_at,
            name=record.name,
            usage_bytes=counts.bytes,
            file_counts=FileCounts.of(counts),
            status="expired" if record.is_expired(time.time()) else "in_progress" if is_busy else "completed",
            expires_after=None if days is None else ExpiresAfter(anchor="last_active_at", days=days),
            expires_at=record.expires_at,
            last_active_at=record.last_active_at,
            metadata=dict(record.metadata),
        )


class LastError(BaseModel):
    """Why a file could not be ingested."""

    code: str
    message: str


class ChunksBody(BaseModel):
    """The size of chunks that is asked for; the encoder may take less."""

    max_chunk_size_tokens: int
    chunk_overlap_tokens: int


class StrategyBody(BaseModel):
    """How a file is chunked."""

    type: Literal["static"] = "static"
    static: ChunksBody

    @classmethod
    def of(cls, tokens: int | None, overlap_tokens: int | None) -> Self:
        """The body for a size; None is the gateway's."""
        size = ChunkSize() if tokens is None else ChunkSize(tokens, overlap_tokens or 0)
        return cls(static=ChunksBody(max_chunk_size_tokens=size.tokens, chunk_overlap_tokens=size.overlap_tokens))


class AttachmentBody(Identified):
    """A file in a vector store."""

    object: Literal["vector_store.file"] = "vector_store.file"
    created_at: int
    vector_store_id: str
    usage_bytes: int
    status: AttachmentStatus
    last_error: LastError | None
    attributes: dict[str, str | bool | int | float]
    chunking_strategy: StrategyBody

    @classmethod
    def of(cls, record: Attachment) -> Self:
        """The body for a record."""
        code, message = record.error_code, record.error_message
        is_complete = record.status is AttachmentStatus.COMPLETED
        return cls(
            id=record.id,
            created_at=record.created_at,
            vector_store_id=record.vector_store,
            usage_bytes=record.bytes if is_complete else 0,
            status=record.status,
            last_error=LastError(code=code, message=message or "") if code else None,
            attributes=dict(record.attributes),
            chunking_strategy=StrategyBody.of(record.chunk_tokens, record.overlap_tokens),
        )


class BatchBody(Identified):
    """Files that were attached together."""

    object: Literal["vector_store.files_batch"] = "vector_store.files_batch"
    created_at: int
    vector_store_id: str
    status: Literal["in_progress", "completed", "cancelled", "failed"]
    file_counts: FileCounts

    @classmethod
    def of(cls, batch: Batch, counts: Counts) -> Self:
        """The body for a batch."""
        return cls(
            id=batch.id,
            created_at=batch.created_at,
            vector_store_id=batch.vector_store,
            status=_status(batch, counts),
            file_counts=FileCounts.of(counts),
        )


def _status(batch: Batch, counts: Counts) -> Literal["in_progress", "completed", "cancelled", "failed"]:
    if counts.by_status.get(AttachmentStatus.IN_PROGRESS):
        return "in_progress"
    if batch.cancelled:
        return "cancelled"
    return "failed" if counts.total and counts.by_status.get(AttachmentStatus.FAILED) == counts.total else "completed"


class ParsedText(BaseModel):
    """A part of a file's text."""

    type: Literal["text"] = "text"
    text: str


class ParsedContent(BaseModel):
    """The text of a file, one part for each of its documents."""

    object: Literal["vector_store.file_content.page"] = "vector_store.file_content.page"
    file_id: str
    filename: str
    attributes: dict[str, str | bool | int | float]
    data: list[ParsedText]
    has_more: Literal[False] = False
    next_page: None = None
