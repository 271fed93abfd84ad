"""BM25 rankings of a task, from the same store and analysis of texts as searches have."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

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


class Bm25:
    """A BM25 index of passages; made by `bm25_index`."""

    def __init__(self, store: Store, keys: Mapping[str, str]) -> None:
        self._store, self._keys = store, keys

    def rank(self, queries: Mapping[str, str], depth: int) -> Run:
        """The best passages of every query by id, best first; those that share no word with it are omitted."""
        run: dict[str, dict[str, float]] = {}
        for batch in batched(iter(queries.items()), _QUERIES_PER_CALL):
            found = self._store.search_bm25([text[:_CHARACTERS_MAX] for _, text in batch], depth)
            for (query, _), hits in zip(batch, found, strict=True):
                run[query] = {self._keys[hit.id]: hit.score for hit in hits}
        return run


@contextmanager
def bm25_index(passages: Mapping[str, str]) -> Iterator[Bm25]:
    """Indexes passages by id in a temporary Milvus Lite file."""
    with tempfile.TemporaryDirectory(prefix="retriton-tune-") as scratch:
        store = Store(f"{scratch}/bm25.db", "passages", consistency="Strong")
        try:
            store.open(_VECTORS, create=True, index="flat")
            keys = {}
            for batch in batched(iter(passages.items()), _ROWS_PER_CALL):
                rows = [_row(key, text) for key, text in batch]
                keys |= {StoredChunk("", "", "", None, 0, "", *_ids(key)).id: key for key, _ in batch}
                store.upsert(rows, np.tile(np.array([1, 0], np.float32), (len(rows), 1)))
            yield Bm25(store, keys)
        finally:
            store.close()


def _row(key: str, text: str) -> tuple[StoredDocument, Chunk]:
    identity, digest = _ids(key)
    return StoredDocument(identity, key, "", digest), Chunk(text, "", None, 0)


def _ids(key: str) -> Sequence[str]:
    digest = content_hash([key])
    return digest, digest
