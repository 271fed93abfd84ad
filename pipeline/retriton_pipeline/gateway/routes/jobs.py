"""Uploads on their way into collections."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel

from retriton_pipeline.gateway.http.errors import documented
from retriton_pipeline.gateway.services.upload_jobs import Job, Jobs, State

JobId = Annotated[str, Path(pattern=r"^job-[0-9a-f]{32}$")]


class JobAnswer(BaseModel):
    """An upload on its way: bytes are those of its files, and the result is the report of the ingestion."""

    id: str
    object: Literal["ingest.job"] = "ingest.job"
    state: State
    collection: str
    created: int
    bytes_total: int
    bytes_done: int
    documents: int
    chunks: int
    result: dict[str, Any] | None
    error: dict[str, Any] | None

    @classmethod
    def of(cls, job: Job) -> JobAnswer:
        """What is told of a job."""
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

    data: list[JobAnswer]


def router(jobs: Jobs) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["jobs"])
    refused = documented()

    @routes.get("/v1/jobs", response_model=JobList, responses=refused)
    async def list_jobs(request: Request) -> JobList:
        """The uploads of this key."""
        return JobList(data=[JobAnswer.of(job) for job in jobs.of(request.scope["key"])])

    @routes.get("/v1/jobs/{job_id}", response_model=JobAnswer, responses=refused)
    async def get_job(job_id: JobId, request: Request) -> JobAnswer:
        """How far an upload is."""
        return JobAnswer.of(jobs.get(request.scope["key"], job_id))

    @routes.delete("/v1/jobs/{job_id}", response_model=JobAnswer, responses=refused)
    async def cancel_job(job_id: JobId, request: Request) -> JobAnswer:
        """Give an upload up; what it has stored already stays."""
        job = jobs.get(request.scope["key"], job_id)
        jobs.cancel(job)
        await asyncio.sleep(0)  # for what is cancelled to take notice
        return JobAnswer.of(job)

    return routes
