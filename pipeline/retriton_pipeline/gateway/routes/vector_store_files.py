"""``/v1/vector_stores/{id}/files``, as OpenAI defines it."""

from __future__ import annotations

from fastapi import APIRouter, Request

from retriton_pipeline.gateway.http.json_bodies import JsonRoute
from retriton_pipeline.gateway.schemas.errors import error_responses
from retriton_pipeline.gateway.schemas.listing import Deleted, Listing, Requested
from retriton_pipeline.gateway.schemas.vector_stores import (
    AttachmentBody,
    AttachmentChanges,
    AttachmentRequest,
    ParsedContent,
    ParsedText,
    StatusFilter,
)
from retriton_pipeline.gateway.services.attachments import Attachments
from retriton_pipeline.gateway.services.files import Files
from retriton_pipeline.gateway.services.parsed_files import ParsedFiles
from retriton_pipeline.gateway.services.vector_stores import VectorStores
from retriton_pipeline.gateway.settings import Settings

_FILES = "/v1/vector_stores/{vector_store_id}/files"


def router(
    settings: Settings, stores: VectorStores, files: Files, attachments: Attachments, parsed: ParsedFiles
) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["vector stores"], route_class=JsonRoute)
    errors = error_responses(409)
    update_s = settings.timeout_s / 2

    @routes.post(_FILES, responses=errors)
    async def attach(vector_store_id: str, body: AttachmentRequest, request: Request) -> AttachmentBody:
        """Attach a file. It can be found once its status is `completed`."""
        store = await stores.use(request.scope["key"], vector_store_id)
        (record,), _ = await attachments.attach(store.owner, store.id, [body.attachment])
        return AttachmentBody.of(record)

    @routes.get(_FILES, responses=errors)
    async def list_files(
        vector_store_id: str, request: Request, cursor: Requested, status: StatusFilter = None
    ) -> Listing[AttachmentBody]:
        """The files of a vector store."""
        store = await stores.get(request.scope["key"], vector_store_id)
        page = await attachments.page(store.id, cursor, status)
        return Listing[AttachmentBody].of(list(map(AttachmentBody.of, page.records)), page.has_more)

    @routes.get(f"{_FILES}/{{file_id}}", responses=errors)
    async def get(vector_store_id: str, file_id: str, request: Request) -> AttachmentBody:
        """A file of a vector store."""
        store = await stores.get(request.scope["key"], vector_store_id)
        return AttachmentBody.of(await attachments.get(store.id, file_id))

    @routes.post(f"{_FILES}/{{file_id}}", responses=errors)
    async def modify(vector_store_id: str, file_id: str, body: AttachmentChanges, request: Request) -> AttachmentBody:
        """Replace the attributes of a file; it is ingested again."""
        store = await stores.use(request.scope["key"], vector_store_id)
        record = await attachments.get(store.id, file_id)
        return AttachmentBody.of(await attachments.set_attributes(record, body.attributes or {}, update_s))

    @routes.delete(f"{_FILES}/{{file_id}}", responses=errors)
    async def detach(vector_store_id: str, file_id: str, request: Request) -> Deleted:
        """Remove a file from a vector store. The file itself is kept."""
        store = await stores.get(request.scope["key"], vector_store_id)
        await attachments.detach(await attachments.get(store.id, file_id))
        return Deleted(id=file_id, object="vector_store.file.deleted")

    @routes.get(f"{_FILES}/{{file_id}}/content", responses=errors)
    async def get_content(vector_store_id: str, file_id: str, request: Request) -> ParsedContent:
        """The text that was read from a file."""
        store = await stores.get(request.scope["key"], vector_store_id)
        record = await attachments.get(store.id, file_id)
        file = await files.get(store.owner, file_id)
        texts = [ParsedText(text=text) for text in await parsed.texts(record)]
        return ParsedContent(file_id=file_id, filename=file.filename, attributes=dict(record.attributes), data=texts)

    return routes
