"""Upload jobs."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel

from retriton_pipeline.gateway.services.job import Job, JobState


class JobBody(BaseModel):
    """An upload job. Bytes are those of its files; the result is the report of the ingestion."""

    id: str
    object: Literal["ingest.job"] = "ingest.job"
    state: JobState
    collection: str
    created: int
    bytes_total: int
    bytes_done: int
    documents: int
    chunks: int
    result: dict[str, Any] | None
    error: dict[str, Any] | None

    @classmethod
    def of(cls, job: Job) -> Self:
        """The body for a job."""
        return cls(
            id=job.id,
            state=job.state,
            collection=job.collection,
            created=int(job.created_s),
            bytes_total=job.bytes_total,
            bytes_done=min(job.progress.bytes_done, job.bytes_total),
            documents=job.progress.documents,
            chunks=job.progress.chunks,
            result=job.result,
            error=job.error,
        )


class JobList(BaseModel):
    """The jobs of a key, the latest first."""

    data: list[JobBody]
