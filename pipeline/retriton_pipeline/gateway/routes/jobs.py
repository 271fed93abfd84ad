"""Upload jobs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request

from retriton_pipeline.gateway.schemas.errors import error_responses
from retriton_pipeline.gateway.schemas.jobs import JobBody, JobList
from retriton_pipeline.gateway.services.upload_jobs import UploadJobs

JobId = Annotated[str, Path(pattern=r"^job-[0-9a-f]{32}$")]


def router(jobs: UploadJobs) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["jobs"])
    errors = error_responses()

    @routes.get("/v1/jobs", response_model=JobList, responses=errors)
    async def list_jobs(request: Request) -> JobList:
        """The upload jobs of this key."""
        return JobList(data=[JobBody.of(job) for job in await jobs.owned_by(request.scope["key"])])

    @routes.get("/v1/jobs/{job_id}", response_model=JobBody, responses=errors)
    async def get_job(job_id: JobId, request: Request) -> JobBody:
        """The state and progress of a job."""
        return JobBody.of(await jobs.get(request.scope["key"], job_id))

    @routes.delete("/v1/jobs/{job_id}", response_model=JobBody, responses=errors)
    async def cancel_job(job_id: JobId, request: Request) -> JobBody:
        """Cancel a job. Documents that are already stored are kept."""
        job = await jobs.get(request.scope["key"], job_id)
        await jobs.cancel(job)
        return JobBody.of(job)

    return routes
