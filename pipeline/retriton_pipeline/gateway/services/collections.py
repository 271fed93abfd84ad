"""Open collections of Milvus, for searches in threads."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from retriton_client import Client, EncoderInfo, Retry, WrongEncoder
from retriton_pipeline.errors import StoreError
from retriton_pipeline.gateway.services.threads import Threads, ThreadsLLM
from retriton_pipeline.gateway.services.upstream import LIMITS, Served
from retriton_pipeline.gateway.settings import Settings
from retriton_pipeline.retrieval import Retriever
from retriton_pipeline.store import Store, collection_names

T = TypeVar("T")
log = logging.getLogger("retriton.gateway")
_OPEN_MAX = 16
_OPENERS = 4
_IDLE_S = 1.0  # after which a file is let go, so that `retriton ingest` can have it
_FRESH_S = 60.0  # after which a collection is opened anew: its name may stand for another version


@dataclass
class _Open:
    store: Store
    retriever: Retriever
    until_s: float
    used_s: float
    users: int = 0

    def serves(self, encoder: EncoderInfo) -> bool:
        return self.store.fingerprint == encoder.fingerprint and time.monotonic() < self.until_s

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
        self._openers = ThreadPoolExecutor(_OPENERS, thread_name_prefix="opening")
        self._prober = ThreadPoolExecutor(1, thread_name_prefix="probe")
        self._open: dict[str, _Open] = {}
        self._opening: dict[str, asyncio.Task[_Open]] = {}
        self._is_file = "://" not in settings.milvus

    async def search(self, name: str, work: Callable[[Retriever], T]) -> T:
        """What ``work`` makes of the collection; once more, if the collection was replaced meanwhile.

        Raises:
            NoSuchCollection, EncoderMismatch, StoreError: see `Store.open`; and what ``work`` raises.
        """
        try:
            async with self._used(name) as entry:
                return await self._threads.run(partial(work, entry.retriever))
        except (StoreError, WrongEncoder) as error:
            if name not in self._open:
                raise
            log.warning("opening collection %s again: %s", name, error)
            self._served.forget()
            self._retire(name)
        async with self._used(name) as entry:
            return await self._threads.run(partial(work, entry.retriever))

    async def with_store(self, name: str, work: Callable[[Store], T]) -> T:
        """What ``work`` makes of the opened store of the collection. Raises as `search`."""
        async with self._used(name) as entry:
            return await self._threads.run(lambda: work(entry.store))

    async def names(self) -> list[str]:
        """The collections there are."""
        return await self._threads.run(self._names)

    async def check(self) -> None:
        """Raises `StoreError` if Milvus does not answer. A file that nobody uses now is taken to be well."""
        if not self._is_file:  # in a thread of its own: while Milvus hangs, probes must not take those of searches
            await asyncio.get_running_loop().run_in_executor(self._prober, self._names)

    async def release_idle(self) -> None:
        """Lets go of files that are not used; runs until it is cancelled."""
        while self._is_file:
            await asyncio.sleep(_IDLE_S / 2)
            for name, entry in list(self._open.items()):
                if not entry.users and time.monotonic() - entry.used_s > _IDLE_S:
                    self._retire(name)

    async def close(self) -> None:
        """Closes everything."""
        for name in list(self._open):
            self._retire(name)
        self._threads.close()
        await asyncio.to_thread(self._openers.shutdown)
        await asyncio.to_thread(self._client.close)

    def _names(self) -> list[str]:
        return collection_names(self._settings.milvus, self._settings.milvus_token)

    @asynccontextmanager
    async def _used(self, name: str) -> AsyncIterator[_Open]:
        entry = await self._opened(name, await self._served.encoder())
        entry.users += 1
        try:
            yield entry
        finally:
            entry.users -= 1
            entry.used_s = time.monotonic()
            if not entry.users and self._open.get(name) is not entry:  # it was retired while it was used
                self._openers.submit(_close, entry)

    async def _opened(self, name: str, encoder: EncoderInfo) -> _Open:
        """Opens it, if it is not. Whoever waits may leave: what is opened then is used by the next, or let go."""
        entry = self._open.get(name)
        if entry and entry.serves(encoder):
            return entry
        if (opening := self._opening.get(name)) is None:
            opening = self._opening[name] = asyncio.ensure_future(self._open_anew(name, encoder))
            opening.add_done_callback(lambda done: self._end_opening(name, done))
        return await asyncio.shield(opening)

    async def _open_anew(self, name: str, encoder: EncoderInfo) -> _Open:
        self._retire(name)
        if len(self._open) >= _OPEN_MAX:
            self._retire(min(self._open, key=lambda key: self._open[key].used_s))
        loop = asyncio.get_running_loop()
        entry = self._open[name] = await loop.run_in_executor(self._openers, self._make, name, encoder)
        return entry

    def _end_opening(self, name: str, done: asyncio.Task[_Open]) -> None:
        del self._opening[name]
        if not done.cancelled():
            done.exception()  # somebody was told, or everybody has left

    def _make(self, name: str, encoder: EncoderInfo) -> _Open:
        with ExitStack() as undo:
            store = Store(self._settings.milvus, name, self._settings.milvus_token, create=False)
            undo.callback(store.close)
            retriever = Retriever(self._client, store, self._llm, encoder)
            undo.pop_all()
        now = time.monotonic()
        return _Open(store, retriever, now + _FRESH_S, now)

    def _retire(self, name: str) -> None:
        """Closes it, or leaves that to the last who uses it."""
        entry = self._open.pop(name, None)
        if entry and not entry.users:
            self._openers.submit(_close, entry)


def _close(entry: _Open) -> None:
    try:
        entry.close()
    except Exception:
        log.exception("a collection could not be closed")
        raise
