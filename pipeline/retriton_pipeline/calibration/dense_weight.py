"""The weight of dense scores in a collection's hybrid searches: less where BM25 finds its texts better."""

from __future__ import annotations

import asyncio
import logging

from retriton_client import AsyncClient, RetritonError
from retriton_pipeline.calibration.cloze import bm25_rank, clozes, dense_rank
from retriton_pipeline.errors import StoreError
from retriton_pipeline.store import Store

CHUNKS_MIN = 500
_GROWTH = 4  # the weight is measured again when there are so many times as many chunks
_SAMPLE = 1000
_CLOZES, _CLOZES_MIN = 150, 75
_WEIGHT_MIN, _WEIGHT_MAX = 0.7, 0.8
_RATIO_MIN, _RATIO_MAX = 0.8, 1.0  # dense relative to BM25, for these weights; see docs/log.md

log = logging.getLogger("retriton.calibration")


async def calibrate(client: AsyncClient, store: Store) -> None:
    """Measures the weight of dense scores in hybrid searches, and stores it with the collection.

    It takes the embedding of 300 short texts. Nothing is done for collections that are small, have no BM25 index, or
    have not grown much since. If a server fails, that is logged, and the weight stays as it is.

    Args:
        client: embeds.
        store: the opened collection.
    """
    try:
        chunks = await asyncio.to_thread(store.count) if store.has_bm25 else 0
        known = (store.calibration or {}).get("chunks", 0)
        if chunks < max(CHUNKS_MIN, _GROWTH * known):
            return
        weight = await measured_weight(client, store)
        if weight is not None:
            await asyncio.to_thread(store.keep_calibration, {"dense_weight": weight, "chunks": chunks})
    except (RetritonError, StoreError) as error:
        log.warning("the weight of dense scores was not measured: %s", error)


async def measured_weight(client: AsyncClient, store: Store) -> float | None:
    """The weight for a collection, by a sample of its chunks; None if too few of them have several sentences.

    Raises:
        RetritonError: see `AsyncClient.embed`.
        StoreError: Milvus failed.
    """
    texts, vectors = await asyncio.to_thread(store.sample, _SAMPLE)
    questions = await asyncio.to_thread(clozes, texts, _CLOZES)
    if len(questions) < _CLOZES_MIN:
        return None
    sentences, rests = await asyncio.gather(
        client.embed([one.sentence for one in questions], "query", truncate="END"),
        client.embed([one.rest for one in questions], "passage", truncate="END"),
    )
    dense = dense_rank(questions, vectors, store.unit(sentences.vectors), store.unit(rests.vectors))
    bm25 = await asyncio.to_thread(bm25_rank, questions, texts)
    weight = weight_for(dense / bm25 if bm25 else _RATIO_MAX)
    log.info("a chunk is found by its sentence: dense %.2f, BM25 %.2f (MRR); dense weight %.2f", dense, bm25, weight)
    return weight


def weight_for(ratio: float) -> float:
    """The weight for a ratio of the ranks of dense search to those of BM25."""
    share = (ratio - _RATIO_MIN) / (_RATIO_MAX - _RATIO_MIN)
    return round(_WEIGHT_MIN + (_WEIGHT_MAX - _WEIGHT_MIN) * min(1.0, max(0.0, share)), 3)
