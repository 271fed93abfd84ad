"""Collections and their documents: upload, list, delete."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from typing import Annotated, Any

from fastapi import APIRouter, File, Query, Request, Response, UploadFile
from fastapi.routing import APIRoute

from retriton_pipeline.gateway.http.media_types import FORM, check_media_type
from retriton_pipeline.gateway.schemas.common import CollectionName
from retriton_pipeline.gateway.schemas.documents import CollectionList, DocumentBody, DocumentList
from retriton_pipeline.gateway.schemas.errors import error_responses
from retriton_pipeline.gateway.schemas.jobs import JobBody
from retriton_pipeline.gateway.services import stored_documents
from retriton_pipeline.gateway.services.collections import Collections
from retriton_pipeline.gateway.services.upload_jobs import UploadJobs
from retriton_pipeline.gateway.services.uploaded_files import save_files
from retriton_pipeline.gateway.settings import Settings


def router(settings: Settings, collections: Collections, jobs: UploadJobs) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["documents"])
    uploads = APIRouter(tags=["documents"], route_class=_upload_route(jobs, settings.bounds.upload_bytes))
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
        job = jobs.add(request.scope["key"], collection, folder)
        response.headers["Location"] = f"/v1/jobs/{job.id}"
        return JobBody.of(job)

    routes.include_router(uploads)

    @routes.get("/v1/collections/{collection}/documents", response_model=DocumentList, responses=errors)
    async def list_documents(
        collection: CollectionName,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
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


def _upload_route(jobs: UploadJobs, bytes_max: int) -> type[APIRoute]:
    """A route that checks the body's type, and whether there is room in the queue, before it reads the files."""

    class UploadRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def handle_with_room(request: Request) -> Response:
                check_media_type(request.headers, FORM)
                announced = request.headers.get("content-length", "")
                size = min(int(announced), bytes_max) if announced.isdecimal() else bytes_max
                with jobs.receiving(request.scope["key"], size):
                    return await handle(request)

            return handle_with_room

    return UploadRoute
