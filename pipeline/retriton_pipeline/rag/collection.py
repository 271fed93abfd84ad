"""A collection that stays open while its name may come to refer to another version."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from retriton_client import AsyncClient, EncoderInfo
from retriton_pipeline.errors import NoSuchCollection
from retriton_pipeline.generation import PromptBuilder
from retriton_pipeline.rag.servers import Servers
from retriton_pipeline.rag.shared_task import SharedTask
from retriton_pipeline.retrieval import Retriever
from retriton_pipeline.store import Store

_CHECK_S = 1.0  # between two look-ups of the version that a collection's name refers to


@dataclass
class Version:
    """One version of the collection, its searches with the encoder that made it, and the builder of its prompts.

    Searches that have begun go on with it after the collection was switched to another version.
    """

    store: Store
    retriever: Retriever
    builder: PromptBuilder
    checked_s: float  # when the collection's name referred to this version


class Collection:
    """The collection of an `AsyncRag`: connected and opened when it is first needed.

    Args:
        connect: connects to Milvus, and creates a missing file if its argument is true. It blocks.
        servers: the servers that may have made its vectors.
        builder: makes the builder of prompts for an encoder. It blocks.
        result_cache_s: see `AsyncRag`.
    """

    def __init__(
        self,
        connect: Callable[[bool], Store],
        servers: Servers,
        builder: Callable[[EncoderInfo], PromptBuilder],
        result_cache_s: float,
    ) -> None:
        self._connect = connect
        self._servers = servers
        self._builder = builder
        self._result_cache_s = result_cache_s
        self._connection: SharedTask[Store] = SharedTask()
        self._version: SharedTask[Version] = SharedTask()

    async def connected(self, create: bool = False) -> Store:
        """The connection to Milvus, on which no version needs to be open.

        Raises:
            StoreError: Milvus cannot be reached.
            NoSuchCollection: the file does not exist, and ``create`` is false.
        """
        try:
            return await self._connection.get(lambda: asyncio.to_thread(self._connect, create))
        except NoSuchCollection:  # also of a search that connects at the same time, and does not create the file
            if not create:
                raise
            return await self._connection.get(lambda: asyncio.to_thread(self._connect, create))

    async def version(self) -> Version:
        """The version for a search; at most every second it is looked up which one that is. Raises as `Store.open`."""
        found = await self._version.get(self._open)
        if time.monotonic() < found.checked_s + _CHECK_S:
            return found
        found.checked_s = time.monotonic()  # searches that begin meanwhile use this version
        if await asyncio.to_thread(_is_refreshed, found.store):
            return found
        return await self.version_after(found)

    async def version_after(self, replaced: Version) -> Version:
        """The version that is current once more, after one that is not."""
        if await self._version.get(self._open) is replaced:
            self.forget_version()
        return await self._version.get(self._open)

    def forget_version(self) -> None:
        """Makes the next search open the version again."""
        self._version.reset()

    async def server(self) -> tuple[AsyncClient, EncoderInfo]:
        """The server for the collection, and its encoder; the first server for a collection that does not exist."""
        try:
            fingerprint = (await asyncio.to_thread((await self.connected()).current))[1]
        except NoSuchCollection:
            fingerprint = ""
        return await self._servers.of(fingerprint)

    async def close(self) -> None:
        """Closes the connection, and releases the Milvus Lite file."""
        await self._version.take()
        if store := await self._connection.take():
            await asyncio.to_thread(store.close)

    async def _open(self) -> Version:
        store = await self.connected()
        checked_s = time.monotonic()
        name, fingerprint = await asyncio.to_thread(store.current)
        client, encoder = await self._servers.of(fingerprint)
        opened = await asyncio.to_thread(store.at, name, encoder)
        retriever = Retriever(client, opened, self._result_cache_s, reranker=self._servers.first)
        return Version(opened, retriever, await asyncio.to_thread(self._builder, encoder), checked_s)


def _is_refreshed(store: Store) -> bool:
    """Whether a version is still current. If so, its settings were read again."""
    if not store.is_current:
        return False
    store.read_settings()
    return True
