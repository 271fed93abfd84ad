"""Searches of a collection for many questions at a time: those that arrive together share calls to Milvus."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
from cachetools import LRUCache

from retriton_pipeline.coalescing import Coalescer
from retriton_pipeline.retrieval.ranking import Ranking
from retriton_pipeline.store import Hit, Store, StoredChunk
from retriton_pipeline.vectors import Vectors

_CALLS_MAX = 2  # concurrent calls for the same depth and filter, unless a call is full
_QUERIES_MAX = 32  # of a call
_IDS_MAX = 1024  # of a call
_CACHE_BYTES = 64 * 2**20
_CHUNK_BYTES = 1500  # of a cached chunk besides its text
_EAGER_QUERIES_MAX = 2  # searches that return their chunks while the cache has few of those that are needed
_DECAY = 0.95
_Key = tuple[int, str]  # depth and filter
R = TypeVar("R")


class Searcher:
    """Searches one collection; used in one event loop.

    Chunks are kept in a cache. They never change (see `StoredChunk`), so that it needs no invalidation.

    Args:
        store: the opened collection; its methods run in threads.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._dense: Coalescer[_Key, Vectors, list[Ranking]] = Coalescer(self._search, _part, _QUERIES_MAX, _CALLS_MAX)
        self._bm25: Coalescer[_Key, str, list[Ranking]] = Coalescer(self._search_bm25, _part, _QUERIES_MAX, _CALLS_MAX)
        self._by_id: Coalescer[str, str, list[StoredChunk | None]] = Coalescer(self._fetch, _part, _IDS_MAX, _CALLS_MAX)
        self._cache: LRUCache[str, StoredChunk] = LRUCache(_CACHE_BYTES, _size)
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
        found = {key: chunk for key in wanted if (chunk := self._cache.get(key))}
        missing = [key for key in wanted if key not in found]
        if wanted:
            self._missing_share += (1 - _DECAY) * (len(missing) / len(wanted) - self._missing_share)
        if missing:
            fetched = await self._by_id.submit("", missing)
            found |= {key: chunk for key, chunk in zip(missing, fetched, strict=True) if chunk}
        return {key: found[key] for key in wanted if key in found}

    async def vectors(self, ids: Sequence[str]) -> Vectors:
        """The stored vectors of chunks, float32 ``[ids, dimension]``. Raises `StoreError`."""
        return await asyncio.to_thread(self.store.vectors, ids)

    async def _search(self, key: _Key, vectors: list[Vectors]) -> list[Ranking]:
        hits = await asyncio.to_thread(self.store.search, np.stack(vectors), *key, self._eager(vectors))
        return self._rankings("dense", hits)

    async def _search_bm25(self, key: _Key, texts: list[str]) -> list[Ranking]:
        hits = await asyncio.to_thread(self.store.search_bm25, texts, *key, self._eager(texts))
        return self._rankings("bm25", hits)

    async def _fetch(self, _: str, ids: list[str]) -> list[StoredChunk | None]:
        found = await asyncio.to_thread(self.store.chunks, list(dict.fromkeys(ids)))
        self._keep(found.items())
        return [found.get(key) for key in ids]

    def _eager(self, queries: Sequence[Any]) -> bool:
        """Whether a search returns its chunks, which is cheaper than a second call for them."""
        return len(queries) <= _EAGER_QUERIES_MAX and self._missing_share > 0.5

    def _rankings(self, stage: str, found: Sequence[Sequence[Hit]]) -> list[Ranking]:
        self._keep((hit.id, hit.chunk) for hits in found for hit in hits if hit.chunk)
        return [Ranking.of(stage, hits) for hits in found]

    def _keep(self, chunks: Iterable[tuple[str, StoredChunk]]) -> None:
        for key, chunk in chunks:
            if _size(chunk) < _CACHE_BYTES:
                self._cache[key] = chunk


def _part(found: list[R], own: slice) -> list[R]:
    return found[own]


def _size(chunk: StoredChunk) -> int:
    """Bytes of memory that a chunk takes, approximately."""
    return _CHUNK_BYTES + 2 * len(chunk.text) + len(chunk.context) + len(str(chunk.metadata))
