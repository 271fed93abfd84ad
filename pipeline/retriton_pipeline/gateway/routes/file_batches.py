"""``/v1/vector_stores/{id}/file_batches``, as OpenAI defines it."""

from __future__ import annotations

from fastapi import APIRouter, Request

from retriton_pipeline.gateway.http.json_bodies import JsonRoute
from retriton_pipeline.gateway.schemas.errors import error_responses
from retriton_pipeline.gateway.schemas.listing import Listing, Requested
from retriton_pipeline.gateway.schemas.vector_stores import AttachmentBody, BatchBody, BatchRequest, StatusFilter
from retriton_pipeline.gateway.services.attachments import Attachments
from retriton_pipeline.gateway.services.fields import renamed
from retriton_pipeline.gateway.services.vector_stores import VectorStores

_BATCHES = "/v1/vector_stores/{vector_store_id}/file_batches"


def router(stores: VectorStores, attachments: Attachments) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["vector stores"], route_class=JsonRoute)
    errors = error_responses(409)

    @routes.post(_BATCHES, responses=errors)
    async def attach_batch(vector_store_id: str, body: BatchRequest, request: Request) -> BatchBody:
        """Attach several files."""
        store = await stores.use(request.scope["key"], vector_store_id)
        with renamed(file_id="files" if body.files else "file_ids"):
            _, batch = await attachments.attach(store.owner, store.id, body.attachments, in_batch=True)
        return BatchBody.of(*await attachments.batch(store.id, batch.id))

    @routes.get(f"{_BATCHES}/{{batch_id}}", responses=errors)
    async def get_batch(vector_store_id: str, batch_id: str, request: Request) -> BatchBody:
        """How far a batch is."""
        store = await stores.get(request.scope["key"], vector_store_id)
        return BatchBody.of(*await attachments.batch(store.id, batch_id))

    @routes.post(f"{_BATCHES}/{{batch_id}}/cancel", responses=errors)
    async def cancel_batch(vector_store_id: str, batch_id: str, request: Request) -> BatchBody:
        """Cancel what is not ingested yet of a batch."""
        store = await stores.get(request.scope["key"], vector_store_id)
        batch, _ = await attachments.batch(store.id, batch_id)
        await attachments.cancel(batch)
        return BatchBody.of(*await attachments.batch(store.id, batch_id))

    @routes.get(f"{_BATCHES}/{{batch_id}}/files", responses=errors)
    async def list_batch(
        vector_store_id: str, batch_id: str, request: Request, cursor: Requested, status: StatusFilter = None
    ) -> Listing[AttachmentBody]:
        """The files of a batch."""
        store = await stores.get(request.scope["key"], vector_store_id)
        batch, _ = await attachments.batch(store.id, batch_id)
        page = await attachments.page(store.id, cursor, status, batch)
        return Listing[AttachmentBody].of(list(map(AttachmentBody.of, page.records)), page.has_more)

    return routes
