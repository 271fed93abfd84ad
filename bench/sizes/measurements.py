"""Measurements of one collection while it grows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import psutil

from bench.sizes import corpus
from retriton_pipeline.store import Store, StoredChunk

_TOP_K = 10
_DEPTH = 50  # as a retrieval searches
_EXACT_QUERIES = 50
_POLL_S = 1.0
_MERGE_S_MAX = 900.0


class Growth:
    """A collection that grows, and is measured at some sizes.

    Args:
        milvus: a file of Milvus Lite, or the address of a server.
        pid: process id of the server, if its memory is to be measured.
        queries: of each measurement.
    """

    def __init__(self, milvus: str, pid: int | None, queries: int) -> None:
        self._milvus, self._pid, self._queries = milvus, pid, queries
        self._blocks = 0
        self._store = Store(milvus, "sizes", consistency="Bounded")
        self._store.open(corpus.ENCODER, create=True)

    def to(self, chunks: int) -> dict[str, Any]:
        """Adds chunks up to that number, and measures."""
        blocks = chunks // corpus.BLOCK
        start, added = time.perf_counter(), blocks - self._blocks
        for block in range(self._blocks, blocks):
            self._store.upsert(corpus.rows(block), corpus.vectors(block))
        written_s = time.perf_counter() - start
        self._blocks = blocks
        indexed_s = self._wait_for_index()
        opened_s = self._reopen()
        return {
            "chunks": chunks,
            "rows_per_s": round(added * corpus.BLOCK / written_s),
            "index_s": indexed_s,
            "open_s": opened_s,
            **self._searches(),
            "memory_mib": self._memory_mib(),
            "recall": self._recall(),
            "dense_beside_writes_ms": self._beside_writes(),
        }

    def remove(self) -> None:
        """Drops the collection."""
        self._store.remove()
        self._store.close()

    def _searches(self) -> dict[str, Any]:
        vectors, texts = corpus.queries(self._queries, self._blocks)
        store = self._store

        def dense(place: int) -> Any:
            return store.search(vectors[place : place + 1], _DEPTH, with_chunks=True)

        found = {"dense_ms": _latencies(dense, self._queries)}
        if store.has_bm25:

            def bm25(place: int) -> Any:
                return store.search_bm25(texts[place : place + 1], _DEPTH, with_chunks=True)

            def both(place: int) -> None:
                parts = pool.submit(dense, place), pool.submit(bm25, place)
                for part in parts:
                    part.result()

            found["bm25_ms"] = _latencies(bm25, self._queries)
            with ThreadPoolExecutor(2) as pool:
                found["hybrid_ms"] = _latencies(both, self._queries)
        return found

    def _recall(self) -> float:
        vectors = corpus.queries(_EXACT_QUERIES, self._blocks)[0]
        hits = self._store.search(vectors, _TOP_K, with_chunks=True)
        wanted = corpus.exact(vectors, self._blocks, _TOP_K)
        found = [{_place(hit.chunk) for hit in each} for each in hits]
        common = sum(len(one & best) for one, best in zip(found, wanted, strict=True))
        return round(common / (_TOP_K * len(wanted)), 4)

    def _beside_writes(self) -> dict[str, float]:
        vectors = corpus.queries(self._queries, self._blocks)[0]
        with self._writing():
            return _latencies(lambda place: self._store.search(vectors[place : place + 1], _DEPTH), self._queries)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Writes the same chunks again and again, in batches of 256, as an ingestion does."""
        ended = threading.Event()
        batch, values = corpus.rows(0)[:256], corpus.vectors(0)[:256]

        def write() -> None:
            while not ended.is_set():
                self._store.upsert(batch, values)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            yield
        finally:
            ended.set()
            writer.join()

    def _wait_for_index(self) -> float | None:
        """Seconds until a server has indexed all rows; None for a file.

        A server merges segments afterwards, and indexes them again. That is waited for, too, at most `_MERGE_S_MAX`.
        """
        if self._store.milvus.is_file:
            return None
        start = time.perf_counter()
        self._store.milvus.call("flush", self._store.target)
        while (index := self._index())["indexed_rows"] < index["total_rows"]:
            time.sleep(_POLL_S)
        seconds = time.perf_counter() - start
        while self._index()["pending_index_rows"] and time.perf_counter() - start < _MERGE_S_MAX:
            time.sleep(_POLL_S)
        return round(seconds, 1)

    def _index(self) -> dict[str, int]:
        """Numbers of rows: in all, with an index, and of segments that wait for one."""
        found = self._store.milvus.call("describe_index", self._store.target, index_name="vector")
        return {name: int(found.get(name, 0)) for name in ("total_rows", "indexed_rows", "pending_index_rows")}

    def _reopen(self) -> float:
        self._store.close()
        start = time.perf_counter()
        self._store = Store(self._milvus, "sizes", consistency="Bounded")
        self._store.open(corpus.ENCODER)
        self._store.search(corpus.queries(1, self._blocks)[0], _DEPTH)
        return round(time.perf_counter() - start, 2)

    def _memory_mib(self) -> int | None:
        """Of the processes of Milvus: of the server, or, for a file, those that this process has started."""
        if self._pid is None and not self._store.milvus.is_file:
            return None
        parent = psutil.Process(self._pid)
        servers = [one for one in [parent, *parent.children(recursive=True)] if "milvus" in one.name()]
        return int(sum(one.memory_full_info().pss for one in servers) // 2**20)


def _latencies(call: Callable[[int], Any], queries: int) -> dict[str, float]:
    """The p50 and p99 of calls, one at a time, in milliseconds."""
    call(0)
    seconds = []
    for place in range(queries):
        start = time.perf_counter()
        call(place)
        seconds.append(time.perf_counter() - start)
    return {f"p{percent}": round(float(np.percentile(seconds, percent)) * 1e3, 2) for percent in (50, 99)}


def _place(chunk: StoredChunk | None) -> tuple[int, int]:
    """The block and the place of a chunk."""
    return divmod(corpus.number(chunk.document_id, chunk.chunk_index), corpus.BLOCK) if chunk else (-1, -1)
