"""OpenAI's vector stores: each is a collection, with a record of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from retriton_pipeline.errors import NoSuchCollection
from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.fairness import Shares
from retriton_pipeline.gateway.services.collections import Collections, is_collection
from retriton_pipeline.gateway.settings import Bounds
from retriton_pipeline.gateway.storage.attachments import AttachmentRecords, AttachmentStatus, Counts
from retriton_pipeline.gateway.storage.database import Database
from retriton_pipeline.gateway.storage.identifiers import new_id
from retriton_pipeline.gateway.storage.pages import Cursor, Page
from retriton_pipeline.gateway.storage.vector_stores import VectorStoreRecord, VectorStoreRecords


def unknown_store(id_: str) -> ApiError:
    """The error for what is neither a vector store nor a collection."""
    message = f"there is no vector store, and no collection, {id_[:100]!r}"
    return ApiError(404, "vector_store_not_found", message, "vector_store_id")


class VectorStores:
    """The vector stores of all keys; each key sees its own.

    Args:
        database: has their records.
        collections: has their documents.
        bounds: limits their number.
    """

    def __init__(self, database: Database, collections: Collections, bounds: Bounds) -> None:
        self._records = VectorStoreRecords(database)
        self._attachments = AttachmentRecords(database)
        self._collections = collections
        self._bounds = bounds

    async def create(
        self, owner: str, name: str, metadata: Mapping[str, str], expires_days: int | None
    ) -> VectorStoreRecord:
        """Creates an empty vector store. Raises `ApiError` if there are too many."""
        number = Shares(self._bounds.vector_stores)
        for key, count in (await self._records.usage()).items():
            number.add(key, count)
        if not number.take(owner, 1):
            message = f"there are {number.used} vector stores, the limit is {number.total}, and a key may have eight "
            raise ApiError(400, "storage_full", f"{message}times as many as are left: delete some")
        now_s = int(time.time())
        record = VectorStoreRecord(new_id("vs_"), owner, name, now_s, now_s, metadata, expires_days)
        await self._records.put(record)
        return record

    async def get(self, owner: str, id_: str) -> VectorStoreRecord:
        """The owner's vector store. Raises `ApiError` if there is none of that id."""
        record = await self._records.get(owner, id_)
        if record is None:
            hint = "; a collection can only be retrieved and searched here" if is_collection(id_) else ""
            message = f"there is no vector store {id_[:100]!r}{hint}"
            raise ApiError(404, "vector_store_not_found", message, "vector_store_id")
        return record

    async def describe(self, owner: str, id_: str) -> tuple[VectorStoreRecord, Counts]:
        """A vector store, and its files; or a collection, of which the number of documents is known.

        Raises:
            ApiError: there is neither.
            StoreError: see `Collections.with_store`.
        """
        if not is_collection(id_):
            return await self.get(owner, id_), await self.counts(id_)
        try:
            number = await self._collections.with_store(id_, lambda store: store.count_documents())
        except NoSuchCollection:
            raise unknown_store(id_) from None
        return VectorStoreRecord(id_, owner, id_, 0, 0), Counts({AttachmentStatus.COMPLETED: number})

    async def use(self, owner: str, id_: str) -> VectorStoreRecord:
        """As `get`, for a search or a change, which put off its expiry. Raises `ApiError` also if it has expired."""
        record, now_s = await self.get(owner, id_), time.time()
        if record.is_expired(now_s):
            message = (
                f"the vector store {id_} has expired, {record.expires_days} days after its last use: create a new one"
            )
            raise ApiError(400, "vector_store_expired", message, "vector_store_id")
        if int(now_s) > record.last_active_at:
            await self._records.touch(id_, now_s)
        return replace(record, last_active_at=int(now_s))

    async def page(self, owner: str, cursor: Cursor) -> Page[VectorStoreRecord]:
        """A page of the owner's vector stores. Raises `UnknownCursor`."""
        return await self._records.page(owner, cursor)

    async def modify(self, owner: str, id_: str, **changes: Any) -> VectorStoreRecord:
        """Changes fields of a record. Raises as `use`."""
        record = replace(await self.use(owner, id_), **changes)
        await self._records.put(record)
        return record

    async def counts(self, id_: str) -> Counts:
        """How many files a vector store has."""
        return await self._attachments.counts(id_)

    async def delete(self, record: VectorStoreRecord) -> None:
        """Deletes a vector store none of whose files is being ingested. Raises `StoreError`."""
        await self._collections.drop(record.id)
        await self._records.delete(record.id)

    async def expired(self) -> list[VectorStoreRecord]:
        """Vector stores of all keys whose time is over, and that still have files."""
        now_s = time.time()
        over = [record for record in await self._records.expiring() if record.is_expired(now_s)]
        return [record for record in over if (await self._attachments.counts(record.id)).total]

    async def empty(self, record: VectorStoreRecord) -> None:
        """Deletes the files of an expired vector store from it; the record stays. Raises `StoreError`."""
        await self.delete(record)
        await self._records.put(record)
