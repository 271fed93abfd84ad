"""Open collections of Milvus, shared by requests."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from retriton_client import EncoderInfo, WrongEncoder
from retriton_pipeline.errors import StoreError, StoreInterrupted
from retriton_pipeline.gateway.errors import RETRY_AFTER_S, ApiError
from retriton_pipeline.gateway.services.upstream import Upstream
from retriton_pipeline.gateway.settings import Settings
from retriton_pipeline.gateway.slots import Busy, FairSlots
from retriton_pipeline.gateway.storage.identifiers import is_vector_store
from retriton_pipeline.rag import AsyncRag
from retriton_pipeline.store import Store, collection_names, drop_collection, lite
from retriton_pipeline.store.names import is_valid

T = TypeVar("T")
log = logging.getLogger("retriton.gateway")
_OPEN_MAX = 16
_WAITING_S_MAX = 1.0  # of a retrieval, as of a query in its lane
_LENDING_S = 0.5  # between two checks whether another process, such as `retriton ingest`, wants the Milvus Lite file
_HANDOVER_S = 0.3  # after it was closed, until this process may have it again: others try ten times a second


@dataclass
class _Open:
    rag: AsyncRag
    encoder: EncoderInfo
    file: tuple[int, int] | None  # the Milvus Lite file, whatever its name refers to later
    used_s: float = field(default_factory=time.monotonic)
    users: int = 0


def is_collection(name: str) -> bool:
    """Whether a collection of documents, other than that of a vector store, may have the name."""
    return is_valid(name) and not is_vector_store(name)


class Collections:
    """Opens collections when they are needed, and keeps them open.

    A Milvus Lite file can only be open in one process at a time: it is closed when another process wants it, and when
    its name refers to another file.
    """

    def __init__(self, settings: Settings, upstream: Upstream) -> None:
        self._settings = settings
        self._upstream = upstream
        self._retrievals = FairSlots(settings.bounds.retrievals)
        self._prober = ThreadPoolExecutor(1, thread_name_prefix="probe")
        self._open: dict[str, _Open] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._lending = asyncio.Lock()
        self._is_file = "://" not in settings.milvus

    async def retrieve(self, name: str, work: Callable[[AsyncRag], Awaitable[T]]) -> T:
        """Runs ``work`` on a collection, as one of a bounded number; once more if the collection was replaced.

        Raises:
            NoSuchCollection, EncoderMismatch, StoreError: see `Store.open`; and what ``work`` raises.
            ApiError: too many retrievals wait.
        """
        try:
            async with self._retrievals.slot(_WAITING_S_MAX):
                return await self._retrieve(name, work)
        except Busy as busy:
            raise ApiError(429, "overloaded", f"{busy}: try again", retry_after_s=RETRY_AFTER_S) from None

    async def with_store(self, name: str, work: Callable[[Store], T]) -> T:
        """Runs ``work``, which may block, on the opened store of a collection. Raises as `retrieve`."""
        async with self._retrievals.slot(), self._use(name) as entry:
            return await asyncio.to_thread(work, await entry.rag.store())

    async def drop(self, name: str) -> None:
        """Drops a collection, if it exists. Raises `StoreError`."""
        self._retire(name)
        settings = self._settings
        await asyncio.to_thread(drop_collection, settings.milvus, name, settings.milvus_token)

    async def names(self) -> list[str]:
        """The names of all collections, without those of vector stores."""
        async with self._retrievals.slot():
            return await asyncio.to_thread(self._names)

    async def check(self) -> None:
        """Raises `StoreError` if Milvus does not respond. A Milvus Lite file is not opened for this."""
        if not self._is_file:  # in its own thread: while Milvus hangs, probes must not occupy those of retrievals
            await asyncio.get_running_loop().run_in_executor(self._prober, self._names)

    async def lend_file(self) -> None:
        """Closes the Milvus Lite file when it is wanted or was replaced, and nobody uses it; runs until cancelled."""
        while self._is_file:
            await asyncio.sleep(_LENDING_S)
            is_wanted, file = lite.is_wanted(self._settings.milvus), _identity(self._settings.milvus)
            if (is_wanted or any(entry.file != file for entry in self._open.values())) and self._is_idle():
                await self._lend()

    async def close(self) -> None:
        """Closes all collections."""
        await self._close_all()
        self._prober.shutdown(wait=False)

    def _is_idle(self) -> bool:
        """Whether nobody searches, and nobody else of this process, such as an upload, has the file open."""
        is_used = any(entry.users for entry in self._open.values())
        return not is_used and lite.users(self._settings.milvus) <= len(self._open)

    async def _lend(self) -> None:
        async with self._lending:
            await self._close_all()
            await asyncio.sleep(_HANDOVER_S)

    async def _close_all(self) -> None:
        for name in list(self._open):
            self._retire(name)
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _names(self) -> list[str]:
        names = collection_names(self._settings.milvus, self._settings.milvus_token)
        return [name for name in names if not is_vector_store(name)]

    async def _retrieve(self, name: str, work: Callable[[AsyncRag], Awaitable[T]]) -> T:
        entry: _Open | None = None
        try:
            async with self._use(name) as entry:
                return await work(entry.rag)
        except StoreInterrupted:  # ``work`` may be the cause
            raise
        except (StoreError, WrongEncoder) as error:
            if entry is None:  # it could not be opened
                raise
            log.warning("opening collection %s again: %s", name, error)
            if self._open.get(name) is entry:  # another request may have opened it again
                self._upstream.expire()
                self._retire(name)
        async with self._use(name) as entry:
            return await work(entry.rag)

    @asynccontextmanager
    async def _use(self, name: str) -> AsyncIterator[_Open]:
        """The opened collection. Several requests share it, and one that is cancelled does not stop its opening."""
        encoder = await self._upstream.encoder()
        async with self._lending:  # otherwise the next search would have the file before who waits for it
            entry = self._entry(name, encoder)
        with self._used(name, entry):
            await self._opened(name, entry)
            yield entry

    @contextmanager
    def _used(self, name: str, entry: _Open) -> Iterator[None]:
        entry.users += 1
        try:
            yield
        finally:
            entry.users -= 1
            entry.used_s = time.monotonic()
            if not entry.users and self._open.get(name) is not entry:  # it was retired while in use
                self._close(entry)

    async def _opened(self, name: str, entry: _Open) -> None:
        try:
            await entry.rag.store()
        except Exception:
            if self._open.get(name) is entry:
                del self._open[name]
            raise

    def _entry(self, name: str, encoder: EncoderInfo) -> _Open:
        former = self._open.get(name)
        if former and former.encoder.fingerprint == encoder.fingerprint:
            return former
        self._retire(name)
        if len(self._open) >= _OPEN_MAX:
            self._retire(min(self._open, key=lambda key: self._open[key].used_s))
        entry = self._open[name] = _Open(self._rag(name, encoder), encoder, _identity(self._settings.milvus))
        return entry

    def _rag(self, name: str, encoder: EncoderInfo) -> AsyncRag:
        settings = self._settings
        return AsyncRag(
            milvus=settings.milvus,
            collection=name,
            milvus_token=settings.milvus_token,
            llm=settings.llm,
            prompt_tokens=settings.prompt_tokens,
            prompt_tokenizer=settings.prompt_tokenizer,
            client=self._upstream.client,
            encoder=encoder,
            next_client=self._upstream.next_client,
            result_cache_s=settings.result_cache_s,
        )

    def _retire(self, name: str) -> None:
        """Closes a collection, now or after its last use."""
        entry = self._open.pop(name, None)
        if entry and not entry.users:
            self._close(entry)

    def _close(self, entry: _Open) -> None:
        task = asyncio.ensure_future(entry.rag.close())
        self._closing.add(task)
        task.add_done_callback(self._end_closing)

    def _end_closing(self, task: asyncio.Task[None]) -> None:
        self._closing.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a collection could not be closed", exc_info=error)


def _identity(file: str) -> tuple[int, int] | None:
    """Tells a file from another one of its name; None if there is none, and for the address of a server."""
    with suppress(OSError):
        found = Path(file).stat()
        return found.st_dev, found.st_ino
    return None
