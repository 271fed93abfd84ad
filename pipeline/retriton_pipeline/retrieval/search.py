"""Searches by vectors and by words, as far as a mode wants them, and one ranking of what both find."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from contextvars import copy_context
from dataclasses import dataclass, field

from retriton_client import Client
from retriton_pipeline.retrieval.fusion import fuse
from retriton_pipeline.retrieval.options import SearchOptions
from retriton_pipeline.stopwatch import Stopwatch
from retriton_pipeline.store import ScoredChunk, Store
from retriton_pipeline.vectors import Vectors

_WORD = re.compile(r"\w+")


@dataclass
class Search:
    """What one question needs to be searched; made for it, and thrown away.

    Attributes:
        client, store, threads: what searches.
        options: how to search.
        depth: how many chunks each search gives.
        watch: measures the stages.
        tokens_dropped: the most tokens that a text lost at its start, because it was too long for the encoder.
    """

    client: Client
    store: Store
    threads: Executor
    options: SearchOptions
    depth: int
    watch: Stopwatch = field(default_factory=Stopwatch)
    tokens_dropped: int = 0

    @property
    def by_vectors(self) -> bool:
        """Whether the mode wants vectors."""
        return self.options.mode != "bm25"

    @property
    def by_words(self) -> bool:
        """Whether the mode wants words."""
        mode = self.options.mode
        return mode in ("bm25", "hybrid") or (mode == "auto" and self.store.has_bm25)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of queries, float32 ``[texts, dimension]``."""
        with self.watch.stage("embed"):
            found = self.client.embed(texts, "query", truncate="START", fingerprint=self.store.fingerprint)
        self.tokens_dropped = max(self.tokens_dropped, int(found.tokens_dropped[0]))
        return found.vectors

    def dense(self, vectors: Vectors) -> list[list[ScoredChunk]]:
        """Rankings by vectors."""
        with self.watch.stage("search"):
            return self.store.search(vectors, self.depth, self.options.condition)

    def words(self, texts: Sequence[str]) -> list[list[ScoredChunk]]:
        """Rankings by words."""
        with self.watch.stage("search"):
            return self._words(texts)

    def both(self, texts: Sequence[str]) -> tuple[list[list[ScoredChunk]], list[list[ScoredChunk]]]:
        """Rankings by vectors and by words, each for every text; empty where the mode does not want them."""
        words: Future[list[list[ScoredChunk]]] | None = None
        if self.by_words:  # while the server embeds
            words = self.threads.submit(copy_context().run, self._words, texts)  # with the trace it belongs to
        dense = self.dense(self.embed(texts)) if self.by_vectors else []
        if words is None:
            return dense, []
        with self.watch.stage("search"):
            return dense, words.result()

    def fused(self, dense: Sequence[list[ScoredChunk]], words: Sequence[list[ScoredChunk]]) -> list[ScoredChunk]:
        """One ranking; each one by vectors has one weight, each one by words another."""
        weights = [self.options.dense_weight] * len(dense) + [1.0 - self.options.dense_weight] * len(words)
        return fuse([*dense, *words], weights, self.options.fusion)

    def _words(self, texts: Sequence[str]) -> list[list[ScoredChunk]]:
        return self.store.search_bm25(texts, self.depth, self.options.condition)


def with_more_words(question: str, texts: Sequence[str]) -> str:
    """A text for `Search.words`: the question, twice so that it counts most, and each new word of ``texts`` once."""
    words = dict.fromkeys(word for text in texts for word in _WORD.findall(text.casefold()))
    known = set(_WORD.findall(question.casefold()))
    return " ".join([question, question, *(word for word in words if word not in known)])
