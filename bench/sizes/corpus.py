"""A synthetic corpus, the same at each run: vectors in clusters, texts of words distributed by Zipf's law."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from retriton_client import EncoderInfo
from retriton_pipeline.chunking import Chunk
from retriton_pipeline.store import StoredDocument

DIMENSION = 384
BLOCK = 1000  # chunks
_CLUSTERS = 4000
_NOISE = 0.8  # length of what is added to the centre of a chunk's cluster
_QUERY_NOISE = 0.5  # length of what a query differs from a chunk by
_WORDS = 50_000
_WORDS_PER_CHUNK = 60
_CHUNKS_PER_DOCUMENT = 10
ENCODER = EncoderInfo("synthetic", "5" * 64, DIMENSION, 256, True, {}, "fp32", "")
Vectors = NDArray[np.float32]


def vectors(block: int) -> Vectors:
    """The vectors of a block of chunks, float32 ``[BLOCK, DIMENSION]``, of unit length."""
    random = np.random.default_rng([1, block])
    return _unit(_centres()[random.integers(0, _CLUSTERS, BLOCK)] + _noise(random, BLOCK, _NOISE))


def rows(block: int) -> list[tuple[StoredDocument, Chunk]]:
    """The chunks of a block."""
    texts = _texts(np.random.default_rng([2, block]), BLOCK, _WORDS_PER_CHUNK)
    found = []
    for place, text in enumerate(texts):
        number, index = divmod(block * BLOCK + place, _CHUNKS_PER_DOCUMENT)
        name = f"{number:032x}"
        document = StoredDocument(name, f"document-{number}.txt", f"Document {number}", name)
        found.append((document, Chunk(text, f"Document {number}", None, index)))
    return found


def number(document_id: str, index: int) -> int:
    """The number of a chunk, from 0."""
    return int(document_id, 16) * _CHUNKS_PER_DOCUMENT + index


def queries(count: int, blocks: int) -> tuple[Vectors, list[str]]:
    """Questions: vectors near those of chunks of the first ``blocks``, float32 ``[count, DIMENSION]``, and texts."""
    random = np.random.default_rng([3, blocks])
    near = np.stack([vectors(int(random.integers(blocks)))[int(random.integers(BLOCK))] for _ in range(count)])
    return _unit(near + _noise(random, count, _QUERY_NOISE)), _texts(random, count, 8)


def exact(questions: Vectors, blocks: int, top_k: int) -> list[set[tuple[int, int]]]:
    """The nearest chunks of each question, as block and place, by comparing it with all."""
    best = np.full((len(questions), 0), 0.0, np.float32)
    ids = np.zeros((len(questions), 0), np.int64)
    for block in range(blocks):
        scores = np.concatenate([best, questions @ vectors(block).T], axis=1)
        every = np.tile(np.arange(block * BLOCK, (block + 1) * BLOCK), (len(questions), 1))
        found = np.concatenate([ids, every], axis=1)
        kept = np.argpartition(-scores, top_k, axis=1)[:, :top_k]
        best, ids = (np.take_along_axis(values, kept, axis=1) for values in (scores, found))
    return [{divmod(int(one), BLOCK) for one in row} for row in ids]


@lru_cache
def _centres() -> Vectors:
    return _unit(np.random.default_rng(0).standard_normal((_CLUSTERS, DIMENSION), np.float32))


@lru_cache
def _shares() -> NDArray[np.float64]:
    shares = 1.0 / np.arange(1, _WORDS + 1)
    return np.cumsum(shares / shares.sum())


def _texts(random: np.random.Generator, count: int, words: int) -> list[str]:
    ranks = np.searchsorted(_shares(), random.random((count, words)))
    return [" ".join(f"w{rank}" for rank in row) for row in ranks]


def _noise(random: np.random.Generator, count: int, length: float) -> Vectors:
    return _unit(random.standard_normal((count, DIMENSION), np.float32)) * np.float32(length)


def _unit(values: Vectors) -> Vectors:
    unit: Vectors = values / np.linalg.norm(values, axis=1, keepdims=True)
    return unit
