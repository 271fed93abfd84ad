"""Searches of a collection for many questions at a time: those that arrive together share calls to Milvus."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
from cachetools import LRUCache

from retriton_pipeline.coalescing import Coalescer
from retriton_pipeline.retrieval.ranking import Ranking
from retriton_pipeline.store import Hit, Store, StoredChunk
from retriton_pipeline.vectors import Vectors

_CALLS_MAX = 1  # concurrent calls for the same depth and filter, unless a call is full
_QUERIES_MAX = 32  # of a call
_IDS_MAX = 1024  # of a call
_CACHE_BYTES = 64 * 2**20
_CHUNK_BYTES = 1500  # of a cached chunk besides its text
_ABSENT_BYTES = 200
_EAGER_ABOVE = 0.3  # share of chunks that the cache lacks, above which searches return their chunks
_DECAY = 0.95  # of that share, for each question
_Key = tuple[int, str]  # depth and filter
R = TypeVar("R")


class Searcher:
    """Searches one collection; used in one event loop.

    Chunks are cached. They never change (see `StoredChunk`), so the cache needs no invalidation; None stands for a
    chunk that will never exist.

    Args:
        store: the opened collection; its methods run in threads.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._dense: Coalescer[_Key, Vectors, list[Ranking]] = Coalescer(self._search, _part, _QUERIES_MAX, _CALLS_MAX)
        self._bm25: Coalescer[_Key, str, list[Ranking]] = Coalescer(self._search_bm25, _part, _QUERIES_MAX, _CALLS_MAX)
        self._by_id: Coalescer[str, str, list[StoredChunk | None]] = Coalescer(self._fetch, _part, _IDS_MAX, _CALLS_MAX)
        self._cache: LRUCache[str, StoredChunk | None] = LRUCache(_CACHE_BYTES, _size)
        self._missing_share = 1.0

    async def dense(self, vectors: Vectors, depth: int, filter_: str) -> list[Ranking]:
        """The nearest ``depth`` chunks of each vector, float32 ``[queries, dimension]``. Raises as `Store.search`."""
        return await self._dense.submit((depth, filter_), list(vectors))

    async def bm25(self, texts: Sequence[str], depth: int, filter_: str) -> list[Ranking]:
        """The best ``depth`` chunks of each text by BM25. Raises as `Store.search_bm25`."""
        return await self._bm25.submit((depth, filter_), texts)

    async def chunks(self, ids: Iterable[str]) -> dict[str, StoredChunk]:
        """Chunks by primary key, in the order of ``ids``; those that do not exist are omitted.

        Raises:
            StoreError: Milvus failed.
        """
        wanted = list(ids)
        known = {key: self._cache[key] for key in wanted if key in self._cache}
        missing = [key for key in wanted if key not in known]
        if wanted:
            self._missing_share += (1 - _DECAY) * (len(missing) / len(wanted) - self._missing_share)
        if missing:
            known |= zip(missing, await self._by_id.submit("", missing), strict=True)
        return {key: chunk for key in wanted if (chunk := known[key])}

    async def neighbours(self, chunks: Iterable[StoredChunk], distance: int) -> list[StoredChunk]:
        """The existing chunks at most ``distance`` positions before or after each chunk. Raises `StoreError`.

        The first chunk of a content is written last. If it exists, a chunk that does not exist never will.
        """
        first = {key: chunk.sibling_id(0) for chunk in chunks for key in chunk.neighbour_ids(distance)}
        unknown = [key for key in first if key not in self._cache]
        found = await self.chunks(dict.fromkeys([*first, *(first[key] for key in unknown)]))
        for key in unknown:
            if key not in found and first[key] in found:
                self._cache[key] = None
        return [found[key] for key in first if key in found]

    async def vectors(self, ids: Sequence[str]) -> Vectors:
        """The stored vectors of chunks, float32 ``[ids, dimension]``. Raises `StoreError`."""
        return await asyncio.to_thread(self.store.vectors, ids)

    async def _search(self, key: _Key, vectors: list[Vectors]) -> list[Ranking]:
        hits = await asyncio.to_thread(self.store.search, np.stack(vectors), *key, self._eager)
        return self._rankings("dense", hits)

    async def _search_bm25(self, key: _Key, texts: list[str]) -> list[Ranking]:
        hits = await asyncio.to_thread(self.store.search_bm25, texts, *key, self._eager)
        return self._rankings("bm25", hits)

    async def _fetch(self, _: str, ids: list[str]) -> list[StoredChunk | None]:
        found = await asyncio.to_thread(self.store.chunks, list(dict.fromkeys(ids)))
        self._keep(found.items())
        return [found.get(key) for key in ids]

    @property
    def _eager(self) -> bool:
        """Whether searches return their chunks, which costs more than their keys, and less than a second call."""
        return self._missing_share > _EAGER_ABOVE

    def _rankings(self, stage: str, found: Sequence[Sequence[Hit]]) -> list[Ranking]:
        self._keep((hit.id, hit.chunk) for hits in found for hit in hits if hit.chunk)
        return [Ranking.of(stage, hits) for hits in found]

    def _keep(self, chunks: Iterable[tuple[str, StoredChunk]]) -> None:
        for key, chunk in chunks:
            if _size(chunk) < _CACHE_BYTES:
                self._cache[key] = chunk


def _part(found: list[R], own: slice) -> list[R]:
    return found[own]


def _size(chunk: StoredChunk | None) -> int:
    """Bytes of memory that a chunk takes, approximately."""
    if chunk is None:
        return _ABSENT_BYTES
    return _CHUNK_BYTES + 2 * len(chunk.text) + len(chunk.context) + len(str(chunk.metadata))
