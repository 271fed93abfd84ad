"""``/v1/vector_stores``, as OpenAI defines it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from retriton_pipeline.gateway.http.json_bodies import JsonRoute
from retriton_pipeline.gateway.schemas.errors import error_responses
from retriton_pipeline.gateway.schemas.file_search import SearchResults, VectorStoreSearchRequest
from retriton_pipeline.gateway.schemas.listing import Deleted, Listing, Requested
from retriton_pipeline.gateway.schemas.vector_stores import (
    VectorStoreBody,
    VectorStoreChanges,
    VectorStoreRequest,
    size_of_chunks,
)
from retriton_pipeline.gateway.services.attachments import Attachments, NewAttachment
from retriton_pipeline.gateway.services.deletion import Deletion
from retriton_pipeline.gateway.services.fields import renamed
from retriton_pipeline.gateway.services.file_search import FileSearch
from retriton_pipeline.gateway.services.files import Files
from retriton_pipeline.gateway.services.vector_stores import VectorStores
from retriton_pipeline.gateway.storage.vector_stores import VectorStoreRecord
from retriton_pipeline.generation import LLM
from retriton_pipeline.retrieval.rewriting import decompose

_EMPTY = VectorStoreRequest()


def router(
    llm: LLM | None,
    stores: VectorStores,
    files: Files,
    attachments: Attachments,
    deletion: Deletion,
    search: FileSearch,
) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["vector stores"], route_class=JsonRoute)
    errors = error_responses(409, 502)

    async def body_of(record: VectorStoreRecord) -> VectorStoreBody:
        return VectorStoreBody.of(record, await stores.counts(record.id))

    @routes.post("/v1/vector_stores", responses=errors)
    async def create(request: Request, body: VectorStoreRequest = _EMPTY) -> VectorStoreBody:
        """Create a vector store. The body may be left out."""
        owner, size = request.scope["key"], size_of_chunks(body.chunking_strategy)
        with renamed(file_id="file_ids"):
            await files.get_all(owner, body.file_ids)
        expires = body.expires_after
        record = await stores.create(owner, body.name or "", body.metadata or {}, expires.days if expires else None)
        if body.file_ids:
            await attachments.attach(owner, record.id, [NewAttachment(id_, {}, size) for id_ in body.file_ids])
        return await body_of(record)

    @routes.get("/v1/vector_stores", responses=errors)
    async def list_stores(request: Request, cursor: Requested) -> Listing[VectorStoreBody]:
        """The vector stores of this key."""
        page = await stores.page(request.scope["key"], cursor)
        return Listing[VectorStoreBody].of([await body_of(record) for record in page.records], page.has_more)

    @routes.get("/v1/vector_stores/{vector_store_id}", responses=errors)
    async def get(vector_store_id: str, request: Request) -> VectorStoreBody:
        """A vector store, or the collection of that name."""
        return VectorStoreBody.of(*await stores.describe(request.scope["key"], vector_store_id))

    @routes.post("/v1/vector_stores/{vector_store_id}", responses=errors)
    async def modify(vector_store_id: str, body: VectorStoreChanges, request: Request) -> VectorStoreBody:
        """Change a vector store."""
        changes: dict[str, Any] = {"name": body.name, "metadata": body.metadata}
        changes["expires_days"] = body.expires_after.days if body.expires_after else None
        given = {name: value for name, value in changes.items() if value is not None}
        return await body_of(await stores.modify(request.scope["key"], vector_store_id, **given))

    @routes.delete("/v1/vector_stores/{vector_store_id}", responses=errors)
    async def delete(vector_store_id: str, request: Request) -> Deleted:
        """Delete a vector store. Its files are kept."""
        await deletion.vector_store(await stores.get(request.scope["key"], vector_store_id))
        return Deleted(id=vector_store_id, object="vector_store.deleted")

    @routes.post("/v1/vector_stores/{vector_store_id}/search", responses=errors)
    async def find(vector_store_id: str, body: VectorStoreSearchRequest, request: Request) -> SearchResults:
        """Search a vector store, or the collection of that name."""
        queries, options = [body.query] if isinstance(body.query, str) else body.query, body.options
        if body.rewrite_query and llm:
            queries = list(dict.fromkeys([part for query in queries for part in await decompose(llm, query)]))
        hits = await search.search(request.scope["key"], [vector_store_id], queries, options)
        return SearchResults.of(queries, hits)

    return routes
