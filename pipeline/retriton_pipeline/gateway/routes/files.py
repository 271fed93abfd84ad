"""``/v1/files``, as OpenAI defines it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from pydantic import Field, WithJsonSchema
from starlette.datastructures import FormData
from starlette.responses import StreamingResponse

from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.http.upload_route import upload_route
from retriton_pipeline.gateway.schemas.errors import error_responses
from retriton_pipeline.gateway.schemas.files import LIVES_S_MAX, LIVES_S_MIN, FileBody, Purpose
from retriton_pipeline.gateway.schemas.listing import After, Before, Deleted, EmptyIs, Listing, Ordered
from retriton_pipeline.gateway.services.deletion import Deletion
from retriton_pipeline.gateway.services.files import Files
from retriton_pipeline.gateway.services.upload_jobs import UploadJobs
from retriton_pipeline.gateway.settings import Settings
from retriton_pipeline.gateway.storage.files import FileRecord
from retriton_pipeline.gateway.storage.pages import Cursor

_FILES_MAX = 10_000
Seconds = Annotated[
    int | None,
    Form(alias="expires_after[seconds]", ge=LIVES_S_MIN, le=LIVES_S_MAX),
    WithJsonSchema({"type": "integer", "minimum": LIVES_S_MIN, "maximum": LIVES_S_MAX}),  # a form has no null
]


def router(settings: Settings, files: Files, jobs: UploadJobs, deletion: Deletion) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["files"])
    uploads = APIRouter(tags=["files"], route_class=upload_route(jobs.limits.receiving, settings.bounds.upload_bytes))
    errors = error_responses()

    @uploads.post("/v1/files", responses=errors)
    async def upload(
        request: Request,
        file: Annotated[UploadFile, File()],
        purpose: Annotated[Purpose, Form()],
        anchor: Annotated[Literal["created_at"], Form(alias="expires_after[anchor]")] = "created_at",
        seconds: Seconds = None,
    ) -> FileBody:
        """Upload a file, which is kept until it is deleted or expires."""
        _check_form(await request.form(), seconds)
        return FileBody.of(await files.add(request.scope["key"], file, purpose, seconds))

    routes.include_router(uploads)

    @routes.get("/v1/files", responses=errors)
    async def list_files(
        request: Request,
        purpose: Annotated[str | None, Query()] = None,
        limit: Annotated[int, Field(ge=1, le=_FILES_MAX), EmptyIs(_FILES_MAX), Query()] = _FILES_MAX,
        order: Ordered = None,
        after: After = "",
        before: Before = "",
    ) -> Listing[FileBody]:
        """The files of this key."""
        page = await files.page(request.scope["key"], Cursor(limit, order or "desc", after, before), purpose or None)
        return await asyncio.to_thread(  # 10,000 files take a tenth of a second
            lambda: Listing[FileBody].of([FileBody.of(record) for record in page.records], page.has_more)
        )

    @routes.get("/v1/files/{file_id}", responses=errors)
    async def get_file(file_id: str, request: Request) -> FileBody:
        """A file."""
        return FileBody.of(await files.get(request.scope["key"], file_id))

    @routes.get(
        "/v1/files/{file_id}/content",
        response_class=StreamingResponse,
        responses={**errors, 200: {"content": {"application/octet-stream": {}}}},
    )
    async def get_content(file_id: str, request: Request) -> StreamingResponse:
        """The content of a file."""
        record = await files.get(request.scope["key"], file_id)
        return StreamingResponse(
            files.blocks(record), headers=_content_headers(record), media_type="application/octet-stream"
        )

    @routes.delete("/v1/files/{file_id}", responses=errors)
    async def delete_file(file_id: str, request: Request) -> Deleted:
        """Delete a file, also from all vector stores."""
        await deletion.file(await files.get(request.scope["key"], file_id))
        return Deleted(id=file_id, object="file")

    return routes


def _check_form(form: FormData, seconds: int | None) -> None:
    """Raises `ApiError` if a part of the form would be lost: a second file, or an expiry that is written otherwise."""
    if (count := len(form.getlist("file"))) > 1:
        raise ApiError(400, "invalid_request", f"file: there are {count} files: send one in each request", "file")
    if seconds is None and (name := next((name for name in form if name.startswith("expires_after")), "")):
        message = f"{name}: expires_after[seconds] is missing: send it and expires_after[anchor], each as a field"
        raise ApiError(400, "invalid_request", message, "expires_after[seconds]")


def _content_headers(record: FileRecord) -> dict[str, str]:
    plain = quote(record.filename)
    name = f'filename="{plain}"' if plain == record.filename else f"filename*=UTF-8''{plain}"
    return {
        "Content-Disposition": f"attachment; {name}",
        "Content-Length": str(record.bytes),
        "X-Content-Type-Options": "nosniff",
    }
