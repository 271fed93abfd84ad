"""The documents of a collection."""

from __future__ import annotations

import re
from itertools import islice

from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.services.collections import Collections
from retriton_pipeline.store import Store, StoredDocument

_DOCUMENT_ID = re.compile("[0-9a-f]{32}")


async def list_documents(collections: Collections, collection: str, offset: int, limit: int) -> list[StoredDocument]:
    """A page of a collection's documents, in the order of the store. Raises as `Collections.with_store`."""

    def page(store: Store) -> list[StoredDocument]:
        return list(islice(store.documents(), offset, offset + limit))

    return await collections.with_store(collection, page)


async def delete_document(collections: Collections, collection: str, document_id: str) -> None:
    """Deletes a document.

    Raises:
        ApiError: there is no such document.
        StoreError: see `Collections.with_store`.
    """

    def delete(store: Store) -> bool:
        is_known = bool(store.content_hashes([document_id]))
        store.delete([StoredDocument(document_id, "", "", "")])
        return is_known

    if not _DOCUMENT_ID.fullmatch(document_id) or not await collections.with_store(collection, delete):
        message = f"collection {collection!r} has no document {document_id[:100]!r}"
        raise ApiError(404, "document_not_found", message)
