"""BM25 rankings of a task, from the same store and analysis of texts as searches have."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping

import numpy as np

from retriton_client import EncoderInfo
from retriton_pipeline.batches import batched
from retriton_pipeline.chunking import Chunk
from retriton_pipeline.store import Store, StoredChunk, StoredDocument, content_hash
from retriton_tuning.measures import Run

_ROWS_PER_CALL = 1000
_QUERIES_PER_CALL = 16
_CHARACTERS_MAX = 32_768
_VECTORS = EncoderInfo("bm25", "bm25", 2, 1, True, {}, "fp32", "")  # the store requires vectors, which nobody searches


def bm25_run(passages: Mapping[str, str], queries: Mapping[str, str], depth: int) -> Run:
    """The best passages by id for every query by id, best first; those that share no word with it are omitted.

    The passages are indexed in a temporary Milvus Lite file, which is closed at once.
    """
    with tempfile.TemporaryDirectory(prefix="retriton-tune-") as scratch:
        store = Store(f"{scratch}/bm25.db", "passages", consistency="Strong")
        try:
            store.open(_VECTORS, create=True, index="flat")
            keys: dict[str, str] = {}
            for batch in batched(iter(passages.items()), _ROWS_PER_CALL):
                rows = [_row(key, text) for key, text in batch]
                keys |= {StoredChunk("", "", "", None, 0, "", *_ids(key)).id: key for key, _ in batch}
                store.upsert(rows, np.tile(np.array([1, 0], np.float32), (len(rows), 1)))
            return _searched(store, keys, queries, depth)
        finally:
            store.close()


def _searched(store: Store, keys: Mapping[str, str], queries: Mapping[str, str], depth: int) -> Run:
    run: dict[str, dict[str, float]] = {}
    for batch in batched(iter(queries.items()), _QUERIES_PER_CALL):
        found = store.search_bm25([text[:_CHARACTERS_MAX] for _, text in batch], depth)
        for (query, _), hits in zip(batch, found, strict=True):
            run[query] = {keys[hit.id]: hit.score for hit in hits}
    return run


def _row(key: str, text: str) -> tuple[StoredDocument, Chunk]:
    identity, digest = _ids(key)
    return StoredDocument(identity, key, "", digest), Chunk(text, "", None, 0)


def _ids(key: str) -> tuple[str, str]:
    digest = content_hash([key])
    return digest, digest
