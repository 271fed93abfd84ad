"""One question's searches: dense, BM25, or both fused, as its options say."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from retriton_pipeline.coalescing import CoalescingEmbedder, EmbeddingKey
from retriton_pipeline.retrieval.fusion import fuse
from retriton_pipeline.retrieval.options import SearchOptions
from retriton_pipeline.retrieval.ranking import Ranking
from retriton_pipeline.retrieval.searcher import Searcher
from retriton_pipeline.stopwatch import Stopwatch
from retriton_pipeline.store import StoredChunk
from retriton_pipeline.vectors import Vectors

_BM25_CHARACTERS_MAX = 32_768  # of a query: its start is searched
_WORD = re.compile(r"\w+")


@dataclass
class Search:
    """The state of one search; made for one question.

    Attributes:
        embedder: embeds the texts.
        searcher: searches the collection.
        options: how to search, with no option left open (see `SearchOptions.resolved`).
        depth: chunks that each search returns.
        watch: measures the stages.
        tokens_dropped: the most tokens that truncation dropped from the start of a text.
    """

    embedder: CoalescingEmbedder
    searcher: Searcher
    options: SearchOptions
    depth: int
    watch: Stopwatch = field(default_factory=Stopwatch)
    tokens_dropped: int = 0

    @property
    def is_dense(self) -> bool:
        """Whether the mode searches vectors."""
        return self.options.mode != "bm25"

    @property
    def is_bm25(self) -> bool:
        """Whether the mode searches words."""
        mode = self.options.mode
        return mode in ("bm25", "hybrid") or (mode == "auto" and self.searcher.store.has_bm25)

    @property
    def weight(self) -> float:
        """The weight of dense scores."""
        return self.options.resolved().dense_weight or 0.0

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of queries, float32 ``[texts, dimension]``."""
        key = EmbeddingKey("query", "START", fingerprint=self.searcher.store.fingerprint)
        with self.watch.stage("embed"):
            found = await self.embedder.embed(texts, key)
        self.tokens_dropped = max(self.tokens_dropped, int(found.tokens_dropped[0]))
        return found.vectors

    async def dense(self, vectors: Vectors) -> list[Ranking]:
        """One ranking for each vector."""
        with self.watch.stage("search"):
            return await self.searcher.dense(vectors, self.depth, self.options.filter)

    async def bm25(self, texts: Sequence[str]) -> list[Ranking]:
        """One ranking for each text."""
        with self.watch.stage("search"):
            return await self._bm25(texts)

    async def both(self, texts: Sequence[str]) -> tuple[list[Ranking], list[Ranking]]:
        """Dense and BM25 rankings of every text; empty where the mode does not search that way.

        BM25 runs while the server embeds.
        """
        if not self.is_bm25:
            return await self.dense(await self.embed(texts)), []
        bm25 = asyncio.ensure_future(self._bm25(texts))
        try:
            dense = await self.dense(await self.embed(texts)) if self.is_dense else []
            with self.watch.stage("search"):
                return dense, await bm25
        finally:
            bm25.cancel()

    async def chunks(self, ids: Iterable[str]) -> dict[str, StoredChunk]:
        """Chunks by primary key, in the order of ``ids``; those that do not exist are omitted."""
        with self.watch.stage("search"):
            return await self.searcher.chunks(ids)

    async def neighbours(self, chunks: Sequence[StoredChunk], distance: int) -> list[StoredChunk]:
        """The existing chunks at most ``distance`` positions before or after each chunk."""
        with self.watch.stage("search"):
            return await self.searcher.neighbours(chunks, distance)

    def fused(self, dense: Sequence[Ranking], bm25: Sequence[Ranking]) -> Ranking:
        """One ranking of all, weighted as the options say."""
        weights = [self.weight] * len(dense) + [1.0 - self.weight] * len(bm25)
        spreads = [self.searcher.store.spread] * len(dense) + [None] * len(bm25)
        return fuse([*dense, *bm25], weights, self.options.fusion, spreads)

    async def _bm25(self, texts: Sequence[str]) -> list[Ranking]:
        queries = [text[:_BM25_CHARACTERS_MAX] for text in texts]
        return await self.searcher.bm25(queries, self.depth, self.options.filter)


def expanded(question: str, texts: Sequence[str]) -> str:
    """A BM25 query: the question twice, so that its words count most, and every further word of ``texts`` once."""
    words = dict.fromkeys(word for text in texts for word in _WORD.findall(text.casefold()))
    known = set(_WORD.findall(question.casefold()))
    return " ".join([question, question, *(word for word in words if word not in known)])
