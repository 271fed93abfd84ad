"""Learns the settings of a collection's searches from judged queries.

Dense and BM25 rankings are searched once for each query; weights and numbers of candidates are then compared without
further searches. What cannot be compared so, the second hop and the cross-encoder, is searched with the best weight.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath
from typing import Any

import numpy as np
from ir_measures import Qrel, ScoredDoc

from retriton_pipeline.errors import DatasetError
from retriton_pipeline.evaluation.measures import per_query
from retriton_pipeline.retrieval import Retriever, SearchOptions
from retriton_pipeline.retrieval.fusion import fuse
from retriton_pipeline.retrieval.ranking import Ranking, ScoredChunk
from retriton_pipeline.retrieval.settings import SearchSettings
from retriton_pipeline.store import Hit, StoredChunk

QUERIES_MIN = 20  # fewer say too little
WEIGHTS = tuple(step / 20 for step in range(21))
_CANDIDATES = (20, 50, 100)
_DEPTH = max(_CANDIDATES)
_CONCURRENT_QUERIES = 8
_MEASURE = "ndcg@10"
_Scores = dict[str, float]  # by query


@dataclass(frozen=True)
class _Rankings:
    dense: Ranking
    bm25: Ranking
    documents: Mapping[str, str]  # by primary key of a chunk


async def learn_search(
    retriever: Retriever, queries: Mapping[str, str], qrels: Sequence[Qrel], with_rerank: bool = False
) -> SearchSettings:
    """The settings with the best nDCG@10 of ``queries``; the present ones without labels where others are not better.

    Number of candidates, second hop and cross-encoder differ from these only where the gain exceeds its
    standard error over the queries.

    Args:
        retriever: searches the collection. To keep the settings, pass them to `Store.keep_search_settings`.
        queries: the texts by id; at least 20 that are judged.
        qrels: the judgements. A document has the id of its source, its file name, or its record, with ``#page=N`` where
            pages are judged.
        with_rerank: whether to try the served cross-encoder as well.

    Raises:
        DatasetError: there are too few queries, or no judged document is in the collection.
        StoreError, RetritonError: from Milvus and the server.
    """
    learning = _Learning(retriever, queries, qrels)
    if (judged := len(learning.queries)) < QUERIES_MIN:
        raise DatasetError(f"{judged} queries are judged: settings of searches need at least {QUERIES_MIN}")
    return await learning.settings(with_rerank)


async def score_search(
    retriever: Retriever, queries: Mapping[str, str], qrels: Sequence[Qrel], settings: SearchSettings
) -> dict[str, float]:
    """The nDCG@10 of every judged query with ``settings``. Arguments and errors as for `learn_search`."""
    return await _Learning(retriever, queries, qrels).searched(settings)


def middle_of_best(means: Sequence[float]) -> int:
    """The place of the middle one of the best weights, when each mean is averaged with its neighbours."""
    smooth = np.convolve(np.pad(np.array(means), 1, mode="edge"), np.full(3, 1 / 3), mode="valid")
    best = np.flatnonzero(smooth >= smooth.max() - 1e-9)
    return int(best[len(best) // 2])


class _Learning:
    """Searches for the queries that are judged, and that have a text."""

    def __init__(self, retriever: Retriever, queries: Mapping[str, str], qrels: Sequence[Qrel]) -> None:
        self._retriever = retriever
        self._unlearned = retriever.unlearned_settings
        judged = dict.fromkeys(qrel.query_id for qrel in qrels)
        self.queries = {query: text for query in judged if (text := queries.get(query))}
        self._qrels = [qrel for qrel in qrels if qrel.query_id in self.queries]
        self._known = {qrel.doc_id for qrel in self._qrels}

    async def settings(self, with_rerank: bool) -> SearchSettings:
        rankings = await self._rankings()
        if not any(document in self._known for found in rankings.values() for document in found.documents.values()):
            raise DatasetError("the collection has none of the judged documents among the first that were found")
        before = await self.searched(self._unlearned)
        best = self._best_weight(rankings)
        for candidates in _CANDIDATES:
            other = best.model_copy(update={"candidates": candidates})
            best = _better(best, self._fused(rankings, best), other, self._fused(rankings, other))
        switches: list[dict[str, Any]] = [{"hops": 1}, {"rerank": True}] if with_rerank else [{"hops": 1}]
        after = await self.searched(best)
        for switch in switches:
            other = best.model_copy(update=switch)
            scores = await self.searched(other)
            if _better(best, after, other, scores) is other:
                best, after = other, scores
        if _mean(after) <= _mean(before):
            best, after = self._unlearned, before
        learned = {"queries": len(self.queries), "before": _mean(before), "after": _mean(after)}
        return best.model_copy(update=learned)

    def _best_weight(self, rankings: Mapping[str, _Rankings]) -> SearchSettings:
        tried = [self._unlearned.model_copy(update={"dense_weight": weight}) for weight in WEIGHTS]
        return tried[middle_of_best([_mean(self._fused(rankings, settings)) for settings in tried])]

    def _fused(self, rankings: Mapping[str, _Rankings], settings: SearchSettings) -> _Scores:
        weights = [settings.dense_weight, 1.0 - settings.dense_weight]
        spreads = [self._retriever.spread, None]
        run = {
            query: [
                found.documents[key]
                for key in fuse(
                    [_first(found.dense, settings.candidates), _first(found.bm25, settings.candidates)],
                    weights,
                    spreads=spreads,
                ).scores
            ]
            for query, found in rankings.items()
        }
        return self._scores(run)

    async def searched(self, settings: SearchSettings) -> _Scores:
        """The nDCG@10 of searches with ``settings``, as users get them."""
        options = SearchOptions(**settings.model_dump(include=set(SearchOptions.model_fields)))
        found = await self._each(options, settings.candidates)
        return self._scores({query: [self._document(chunk) for chunk in chunks] for query, chunks in found.items()})

    async def _rankings(self) -> dict[str, _Rankings]:
        dense = await self._each(SearchOptions(mode="dense", hops=1, rerank=False), _DEPTH)
        bm25 = await self._each(SearchOptions(mode="bm25", hops=1, rerank=False), _DEPTH)
        return {
            query: _Rankings(
                _ranking(dense[query]),
                _ranking(bm25[query]),
                {chunk.id: self._document(chunk) for chunk in (*dense[query], *bm25[query])},
            )
            for query in self.queries
        }

    async def _each(self, options: SearchOptions, depth: int) -> dict[str, list[ScoredChunk]]:
        slots = asyncio.Semaphore(_CONCURRENT_QUERIES)

        async def search(text: str) -> list[ScoredChunk]:
            async with slots:
                return await self._retriever.ranked(text, depth, options)

        found = await asyncio.gather(*map(search, self.queries.values()))
        return dict(zip(self.queries, found, strict=True))

    def _document(self, chunk: StoredChunk) -> str:
        return next((name for name in _document_ids(chunk) if name in self._known), chunk.source)

    def _scores(self, run: Mapping[str, Iterable[str]]) -> _Scores:
        ranking = (
            ScoredDoc(query, document, -float(rank))
            for query, documents in run.items()
            for rank, document in enumerate(dict.fromkeys(documents))
        )
        return {query: values[_MEASURE] for query, values in per_query(self._qrels, ranking).items()}


def _document_ids(chunk: StoredChunk) -> list[str]:
    """The ids that judgements may use for the document of a chunk."""
    names = [chunk.source, PurePath(chunk.source).name, chunk.source.rpartition("#")[2]]
    return [*(f"{name}#page={chunk.page}" for name in names if chunk.page), *names]


def _ranking(chunks: Iterable[ScoredChunk]) -> Ranking:
    return Ranking.of("", [Hit(chunk.id, chunk.score) for chunk in chunks])


def _first(ranking: Ranking, count: int) -> Ranking:
    return Ranking(dict(islice(ranking.scores.items(), count)), ranking.stages)


def _better(settings: SearchSettings, scores: _Scores, other: SearchSettings, others: _Scores) -> SearchSettings:
    """``other`` if its gain exceeds the standard error, else ``settings``."""
    gains = np.array([others[query] - scores[query] for query in scores])
    return other if gains.mean() > gains.std() / np.sqrt(len(gains)) > 0 else settings


def _mean(scores: _Scores) -> float:
    return float(np.mean(list(scores.values())))
