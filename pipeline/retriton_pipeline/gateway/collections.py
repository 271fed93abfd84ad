"""Open collections of Milvus, for searches in threads."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from retriton_client import Client, EncoderInfo, Retry
from retriton_pipeline.errors import StoreError
from retriton_pipeline.gateway.served import LIMITS, Served
from retriton_pipeline.gateway.settings import Settings
from retriton_pipeline.gateway.threads import Threads, ThreadsLLM
from retriton_pipeline.retrieval import Retriever
from retriton_pipeline.store import Store, collection_names

T = TypeVar("T")
log = logging.getLogger("retriton.gateway")
_OPEN_MAX = 16
_IDLE_S = 1.0  # after which a file is let go, so that `retriton ingest` can have it
_FRESH_S = 60.0  # after which a collection is opened anew: its name may stand for another version


@dataclass
class _Open:
    store: Store
    retriever: Retriever
    fingerprint: str
    until_s: float
    users: int = 0
    used_s: float = 0.0

    def close(self) -> None:
        self.retriever.close()
        self.store.close()


class Collections:
    """Searches collections, and opens them when they are first asked for.

    A file of Milvus Lite belongs to one process: it is let go when nobody has searched for a moment.
    """

    def __init__(self, settings: Settings, served: Served) -> None:
        self._settings = settings
        self._served = served
        self._threads = Threads(settings.bounds.retrievals)
        self._llm = ThreadsLLM(**vars(settings.llm)) if settings.llm else None
        self._client = Client(
            settings.url, timeout_s=settings.timeout_s, limits=LIMITS, retry=Retry(attempts_max=2), tls=settings.tls
        )
        self._open: dict[str, _Open] = {}
        self._opening = asyncio.Lock()
        self._is_file = "://" not in settings.milvus

    async def search(self, name: str, work: Callable[[Retriever], T]) -> T:
        """What ``work`` makes of the collection; once more, if the collection was replaced meanwhile.

        Raises:
            NoSuchCollection, EncoderMismatch, StoreError: see `Store.open`; and what ``work`` raises.
        """
        try:
            async with self._retriever(name) as retriever:
                return await self._threads.run(lambda: work(retriever))
        except StoreError as error:
            if not await self._discard(name):
                raise
            log.warning("opening collection %s again: %s", name, error)
        async with self._retriever(name) as retriever:
            return await self._threads.run(lambda: work(retriever))

    async def with_store(self, name: str, work: Callable[[Store], T]) -> T:
        """What ``work`` makes of the opened store of the collection. Raises as `search`."""
        async with self._retriever(name):
            store = self._open[name].store
            return await self._threads.run(lambda: work(store))

    async def names(self) -> list[str]:
        """The collections there are."""
        return await self._threads.run(lambda: collection_names(self._settings.milvus, self._settings.milvus_token))

    async def check(self) -> None:
        """Raises `StoreError` if Milvus does not answer. A file that nobody uses now is taken to be well."""
        if not self._is_file:
            await self.names()

    async def release_idle(self) -> None:
        """Lets go of files that are not used; runs until it is cancelled."""
        while self._is_file:
            await asyncio.sleep(_IDLE_S / 2)
            async with self._opening:
                for name, entry in list(self._open.items()):
                    if not entry.users and time.monotonic() - entry.used_s > _IDLE_S:
                        await self._close(name)

    async def close(self) -> None:
        """Closes everything."""
        for name in list(self._open):
            await self._close(name)
        self._threads.close()
        await asyncio.to_thread(self._client.close)

    @asynccontextmanager
    async def _retriever(self, name: str) -> AsyncIterator[Retriever]:
        encoder = await self._served.encoder()
        async with self._opening:
            entry = await self._opened(name, encoder)
            entry.users += 1
        try:
            yield entry.retriever
        finally:
            entry.users -= 1
            entry.used_s = time.monotonic()
            if not entry.users and self._open.get(name) is not entry:  # it was replaced while it was used
                await self._threads.run(entry.close)

    async def _opened(self, name: str, encoder: EncoderInfo) -> _Open:
        entry = self._open.get(name)
        if entry and (entry.fingerprint != encoder.fingerprint or time.monotonic() > entry.until_s):
            await self._close(name)
            entry = None
        if entry is None:
            if len(self._open) >= _OPEN_MAX:
                await self._close(min(self._open, key=lambda key: self._open[key].used_s))
            entry = self._open[name] = await asyncio.to_thread(self._make, name, encoder)
        return entry

    def _make(self, name: str, encoder: EncoderInfo) -> _Open:
        store = Store(self._settings.milvus, name, self._settings.milvus_token, create=False)
        try:
            retriever = Retriever(self._client, store, self._llm, encoder)
        except BaseException:
            store.close()
            raise
        return _Open(store, retriever, encoder.fingerprint, time.monotonic() + _FRESH_S)

    async def _discard(self, name: str) -> bool:
        async with self._opening:
            found = name in self._open
            await self._close(name)
        return found

    async def _close(self, name: str) -> None:
        """Closes it now, or leaves that to the last who uses it."""
        entry = self._open.pop(name, None)
        if entry and not entry.users:
            await asyncio.to_thread(entry.close)
