"""Deletes files and empties vector stores when their time is over."""

from __future__ import annotations

import asyncio
import logging

from retriton_client import RetritonError
from retriton_pipeline.errors import PipelineError
from retriton_pipeline.gateway.services.attachments import Attachments
from retriton_pipeline.gateway.services.files import Files
from retriton_pipeline.gateway.services.vector_stores import VectorStores
from retriton_pipeline.gateway.storage.database import Database
from retriton_pipeline.gateway.storage.files import FileRecord
from retriton_pipeline.gateway.storage.vector_stores import VectorStoreRecord

log = logging.getLogger("retriton.gateway")
_EVERY_S = 60.0


class Deletion:
    """Deletes what consists of several parts, in an order that can be repeated after a failure.

    Args:
        database: has the records.
        files, vector_stores, attachments: the parts.
    """

    def __init__(self, database: Database, files: Files, vector_stores: VectorStores, attachments: Attachments) -> None:
        self._database = database
        self._files = files
        self._vector_stores = vector_stores
        self._attachments = attachments

    async def file(self, record: FileRecord) -> None:
        """Deletes a file, also from all vector stores. Raises `StoreError`, `StorageError`."""
        await self._attachments.detach_everywhere(record)
        await self._files.delete(record)

    async def vector_store(self, record: VectorStoreRecord) -> None:
        """Deletes a vector store; its files are kept. Raises `StoreError`, `StorageError`."""
        await self._attachments.cancel_all(record.id)
        await self._vector_stores.delete(record)

    async def run(self) -> None:
        """Deletes what has expired; runs until it is cancelled."""
        while True:
            if self._database.exists:
                await self._delete_expired()
            await asyncio.sleep(_EVERY_S)

    async def _delete_expired(self) -> None:
        try:
            for file in await self._files.expired():
                await self.file(file)
            for store in await self._vector_stores.expired():
                await self._attachments.cancel_all(store.id)
                await self._vector_stores.empty(store)
        except (PipelineError, RetritonError) as error:
            log.warning("what has expired is deleted later: %s", error)
