"""Questions to passages: rewrite, embed, search, fuse, rerank, join."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from retriton_client import AsyncClient
from retriton_pipeline.chunking import with_context
from retriton_pipeline.errors import InvalidOption
from retriton_pipeline.generation.llm import LLM
from retriton_pipeline.retrieval.conversation import search_in_conversation
from retriton_pipeline.retrieval.fusion import with_score
from retriton_pipeline.retrieval.options import SearchOptions, Turn
from retriton_pipeline.retrieval.passage import Passage, Retrieved
from retriton_pipeline.retrieval.passages import diversified, extended, grouped, joined, without_duplicates
from retriton_pipeline.retrieval.rewriting import decompose, standalone
from retriton_pipeline.retrieval.search import Search
from retriton_pipeline.retrieval.second_hop import second_hop
from retriton_pipeline.store import ScoredChunk, Store
from retriton_pipeline.store.indexes import TOP_K_MAX

T = TypeVar("T")
_CHUNKS_INLINE_MAX = 200  # whose passages are computed in the event loop, within milliseconds
_CHARACTERS_INLINE_MAX = 400_000  # of these chunks


class Retriever:
    """Searches one collection. Any number of questions may be searched at a time, in one event loop.

    Args:
        client: embeds and reranks.
        store: the collection, opened for the served encoder (see `Store.open`).
        llm: rewrites follow-up questions, and decomposes questions.
    """

    def __init__(self, client: AsyncClient, store: Store, llm: LLM | None = None) -> None:
        self._client = client
        self._store = store
        self._llm = llm

    async def retrieve(
        self, question: str, options: SearchOptions | None = None, history: Sequence[Turn] = ()
    ) -> Retrieved:
        """The best passages for ``question``. A question longer than the encoder's limit loses its start.

        Args:
            question: the last question.
            options: how to search.
            history: the conversation before it, oldest first.

        Raises:
            InvalidOption: ``decompose`` without an LLM.
            StoreError, InvalidFilter, LLMError, RetritonError: from Milvus, the LLM and the server.
        """
        options = options or SearchOptions()
        search = self._search(max(options.top_k, options.candidates), options)
        questions = await self._rewritten(question, history, search)
        while True:
            ranked = await self._ranked(search, questions, history)
            unique = await _computed(without_duplicates, ranked)
            if len(unique) >= options.top_k or len(ranked) < search.depth or search.depth == TOP_K_MAX:
                break
            search.depth = min(4 * search.depth, TOP_K_MAX)  # duplicates took the places of other passages
        passages = await self._passages(unique, search)
        return Retrieved(question, passages, search.tokens_dropped, search.watch.milliseconds())

    async def ranked(
        self, question: str, depth: int, options: SearchOptions, history: Sequence[Turn] = ()
    ) -> list[ScoredChunk]:
        """The ranked chunks for ``question``, before they become passages.

        Args:
            question: as for `retrieve`.
            depth: chunks that each search returns.
            options: as for `retrieve`.
            history: as for `retrieve`.
        """
        search = self._search(depth, options)
        return await self._ranked(search, await self._rewritten(question, history, search), history)

    def _search(self, depth: int, options: SearchOptions) -> Search:
        return Search(self._client, self._store, options, depth)

    async def _rewritten(self, question: str, history: Sequence[Turn], search: Search) -> list[str]:
        """The self-contained question, and the simple questions that it consists of, as far as an LLM helps."""
        if self._llm is None:
            if search.options.decompose:
                raise InvalidOption("decompose needs an LLM: name one, for example with --llm-url and --llm-model")
            return [question]
        if not history and not search.options.decompose:
            return [question]
        with search.watch.stage("rewrite"):
            asked = await standalone(self._llm, question, history) if history else question
            return await decompose(self._llm, asked) if search.options.decompose else [asked]

    async def _ranked(self, search: Search, questions: list[str], history: Sequence[Turn]) -> list[ScoredChunk]:
        if history and not self._llm:  # no second hop: its query would lack what the conversation adds
            chunks = search.fused(*await search_in_conversation(search, questions[0], history))
        else:
            chunks = search.fused(*await search.both(questions))
            if search.options.hops > 1 and search.is_bm25:
                chunks = await second_hop(search, questions[0], chunks)
        if search.options.rerank and chunks:
            with search.watch.stage("rerank"):
                chunks = await self._reranked(questions[0], chunks)
        return chunks

    async def _reranked(self, question: str, chunks: list[ScoredChunk]) -> list[ScoredChunk]:
        texts = [with_context(chunk.context, chunk.text) for chunk in chunks]
        scores = (await self._client.rerank(question, texts, truncate="END")).scores
        scored = [with_score(chunk, "rerank", float(score)) for chunk, score in zip(chunks, scores, strict=True)]
        return sorted(scored, key=lambda chunk: -chunk.score)

    async def _passages(self, chunks: list[ScoredChunk], search: Search) -> list[Passage]:
        options = search.options
        if options.min_score is not None:
            chunks = [chunk for chunk in chunks if chunk.score >= options.min_score]
        if options.diversity and chunks:
            with search.watch.stage("search"):
                vectors = await asyncio.to_thread(self._store.vectors, chunks)
            chunks = await _computed(diversified, chunks, vectors, len(chunks), options.diversity)
        groups = grouped(chunks, options.top_k)
        if options.neighbours and groups:
            members = [chunk for group in groups for chunk in group]
            with search.watch.stage("search"):
                neighbours = await asyncio.to_thread(self._store.neighbours, members, options.neighbours)
            return await _computed(_extended_and_joined, neighbours, groups, options.neighbours)
        return await _computed(_extended_and_joined, (), groups, 0)


def _extended_and_joined(
    neighbours: Sequence[ScoredChunk], groups: Sequence[list[ScoredChunk]], distance: int
) -> list[Passage]:
    return [joined(group) for group in extended(groups, neighbours, distance)]


async def _computed(work: Callable[..., T], chunks: Sequence[ScoredChunk], *args: Any) -> T:
    """The result of ``work``; in a thread if there are so many chunks that it would hold up other requests."""
    if len(chunks) <= _CHUNKS_INLINE_MAX and sum(len(chunk.text) for chunk in chunks) <= _CHARACTERS_INLINE_MAX:
        return work(chunks, *args)
    return await asyncio.to_thread(work, chunks, *args)
