"""Collections and their documents: upload, list, delete."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from typing import Annotated

from fastapi import APIRouter, File, Query, Request, Response, UploadFile
from pydantic import Field

from retriton_pipeline.gateway.http.upload_route import upload_route
from retriton_pipeline.gateway.schemas.common import CollectionName
from retriton_pipeline.gateway.schemas.documents import CollectionList, DocumentBody, DocumentList
from retriton_pipeline.gateway.schemas.errors import error_responses
from retriton_pipeline.gateway.schemas.jobs import JobBody
from retriton_pipeline.gateway.schemas.listing import EmptyIs
from retriton_pipeline.gateway.services import stored_documents
from retriton_pipeline.gateway.services.collections import Collections
from retriton_pipeline.gateway.services.upload_jobs import UploadJobs
from retriton_pipeline.gateway.services.uploaded_files import save_files
from retriton_pipeline.gateway.settings import Settings


def router(settings: Settings, collections: Collections, jobs: UploadJobs) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["documents"])
    receiving = upload_route(jobs.limits.receiving, settings.bounds.upload_bytes)
    uploads = APIRouter(tags=["documents"], route_class=receiving)
    errors = error_responses(409)

    @routes.get("/v1/collections", response_model=CollectionList, responses=errors)
    async def list_collections() -> CollectionList:
        """All collections."""
        return CollectionList(data=await collections.names(), default=settings.collection)

    @uploads.post("/v1/collections/{collection}/documents", status_code=202, responses=errors)
    async def upload(
        collection: CollectionName,
        files: Annotated[list[UploadFile], File(min_length=1)],
        request: Request,
        response: Response,
    ) -> JobBody:
        """Upload files; a file replaces an earlier one of the same name. The response is a job."""
        with ExitStack() as undo:
            folder = jobs.new_folder()
            undo.callback(shutil.rmtree, folder, ignore_errors=True)
            await save_files(files, folder)
            undo.pop_all()
        job = await jobs.submit(request.scope["key"], collection, folder)
        response.headers["Location"] = f"/v1/jobs/{job.id}"
        return JobBody.of(job)

    routes.include_router(uploads)

    @routes.get("/v1/collections/{collection}/documents", response_model=DocumentList, responses=errors)
    async def list_documents(
        collection: CollectionName,
        limit: Annotated[int, Field(ge=1, le=1000), EmptyIs(100), Query()] = 100,
        offset: Annotated[int, Field(ge=0, le=10_000_000), EmptyIs(0), Query()] = 0,
    ) -> DocumentList:
        """The documents of a collection, in the order of the store."""
        found = await stored_documents.list_documents(collections, collection, offset, limit)
        return DocumentList(
            data=[DocumentBody(id=document.id, source=document.source, title=document.title) for document in found]
        )

    @routes.delete("/v1/collections/{collection}/documents/{document_id}", status_code=204, responses=errors)
    async def delete_document(collection: CollectionName, document_id: str) -> None:
        """Delete a document."""
        await stored_documents.delete_document(collections, collection, document_id)

    return routes
