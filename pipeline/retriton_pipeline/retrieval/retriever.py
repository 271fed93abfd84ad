"""Questions to passages: rewrite, embed, search, fuse, rerank, join."""

from __future__ import annotations

from collections.abc import Sequence

from retriton_client import AsyncClient
from retriton_pipeline.chunking import with_context
from retriton_pipeline.coalescing import CoalescingEmbedder
from retriton_pipeline.errors import InvalidOption
from retriton_pipeline.generation.llm import LLM
from retriton_pipeline.retrieval.conversation import search_in_conversation
from retriton_pipeline.retrieval.fusion import with_stage
from retriton_pipeline.retrieval.offloading import computed
from retriton_pipeline.retrieval.options import SearchOptions, Turn
from retriton_pipeline.retrieval.passage import Passage, Retrieved
from retriton_pipeline.retrieval.passages import extended_and_joined
from retriton_pipeline.retrieval.ranking import Ranking, ScoredChunk
from retriton_pipeline.retrieval.result_cache import ResultCache
from retriton_pipeline.retrieval.rewriting import decompose, standalone
from retriton_pipeline.retrieval.search import Search
from retriton_pipeline.retrieval.searcher import Searcher
from retriton_pipeline.retrieval.second_hop import second_hop
from retriton_pipeline.retrieval.selection import Selection, select
from retriton_pipeline.retrieval.settings import SearchSettings
from retriton_pipeline.store import Store
from retriton_pipeline.store.indexes import TOP_K_MAX


class Retriever:
    """Searches one collection. Any number of questions may be searched at a time, in one event loop.

    Questions that arrive together share the calls to the server and to Milvus, so keep one object for a collection.

    Args:
        client: embeds and reranks.
        store: the collection, opened for the served encoder (see `Store.open`).
        result_cache_s: seconds for which the results of repeated questions are used (see `ResultCache`); 0 for none.
        reranker: reranks instead of ``client``.
    """

    def __init__(
        self,
        client: AsyncClient,
        store: Store,
        result_cache_s: float = 0.0,
        reranker: AsyncClient | None = None,
    ) -> None:
        self._reranker = reranker or client
        self._embedder = CoalescingEmbedder(client)
        self._searcher = Searcher(store)
        self._store = store
        self._results = ResultCache(store, result_cache_s) if result_cache_s else None

    @property
    def settings(self) -> SearchSettings:
        """The settings of the collection, for options that a search leaves open."""
        learned = self._store.search_settings
        return SearchSettings.stored(learned, self._store.collection) if learned else self.unlearned_settings

    @property
    def unlearned_settings(self) -> SearchSettings:
        """The settings without judged queries: those that were measured for the collection, else the defaults."""
        return SearchSettings.stored(self._store.calibration, self._store.collection)

    @property
    def spread(self) -> float | None:
        """The spread of the encoder's cosines in the collection (see `Store`); known after a dense search."""
        return self._store.spread

    async def retrieve(
        self,
        question: str,
        options: SearchOptions | None = None,
        history: Sequence[Turn] = (),
        llm: LLM | None = None,
    ) -> Retrieved:
        """The best passages for ``question``. A question longer than the encoder's limit loses its start.

        Args:
            question: the last question.
            options: how to search.
            history: the conversation before it, oldest first.
            llm: rewrites a follow-up question, and decomposes questions.

        Raises:
            InvalidOption: the question is blank, or ``decompose`` without an LLM.
            StoreError, InvalidFilter, LLMError, RetritonError: from Milvus, the LLM and the server.
        """
        if not question.strip():
            raise InvalidOption("the query is blank: it has no text to search for")
        options = (options or SearchOptions()).resolved(self.settings)
        if self._results is None or llm is not None:  # an LLM may rewrite the same question differently
            return await self._retrieve(question, options, history, llm)
        return await self._results.get(
            question, options, history, lambda: self._retrieve(question, options, history, None)
        )

    async def _retrieve(
        self, question: str, options: SearchOptions, history: Sequence[Turn], llm: LLM | None
    ) -> Retrieved:
        search = self._search(max(options.top_k, options.candidates or 0), options)
        questions = await _rewritten(llm, question, history, search)
        follows_up = bool(history) and llm is None
        while True:
            ranking = await self._ranking(search, questions, history if follows_up else ())
            selected = await select(ranking, search)
            if selected.unique >= options.top_k or len(ranking) < search.depth or search.depth == TOP_K_MAX:
                break
            search.depth = min(4 * search.depth, TOP_K_MAX)  # duplicates took the places of other passages
        passages = await _passages(selected, search)
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

        Raises:
            InvalidOption: ``decompose``, which needs an LLM; others as for `retrieve`.
        """
        search = self._search(depth, options.resolved(self.settings))
        questions = await _rewritten(None, question, history, search)
        ranking = await self._ranking(search, questions, history)
        chunks = await search.chunks(ranking.scores)
        return [ranking.scored(key, chunks[key]) for key in ranking.scores if key in chunks]

    def _search(self, depth: int, options: SearchOptions) -> Search:
        return Search(self._embedder, self._searcher, options, depth)

    async def _ranking(self, search: Search, questions: list[str], history: Sequence[Turn]) -> Ranking:
        """The ranking for questions; ``history`` is that of a question that no LLM has rewritten."""
        if history:  # no second hop: its query would lack what the conversation adds
            ranking = search.fused(*await search_in_conversation(search, questions[0], history))
        else:
            ranking = search.fused(*await search.both(questions))
            if search.options.hops == 2 and search.is_bm25:
                ranking = await second_hop(search, questions[0], ranking)
        if search.options.rerank and ranking.scores:
            ranking = await self._reranked(search, questions[0], ranking)
        return ranking

    async def _reranked(self, search: Search, question: str, ranking: Ranking) -> Ranking:
        chunks = await search.chunks(ranking.scores)
        ids = [key for key in ranking.scores if key in chunks]
        texts = [with_context(chunks[key].context, chunks[key].text) for key in ids]
        with search.watch.stage("rerank"):
            scores = (await self._reranker.rerank(question, texts, truncate="END")).scores
        best_first = sorted(zip(ids, map(float, scores), strict=True), key=lambda item: -item[1])
        return with_stage("rerank", dict(best_first), [ranking])


async def _rewritten(llm: LLM | None, question: str, history: Sequence[Turn], search: Search) -> list[str]:
    """The self-contained question, and the simple questions that it consists of, as far as an LLM helps."""
    if llm is None:
        if search.options.decompose:
            raise InvalidOption("decompose needs an LLM: name one, for example with --llm-url and --llm-model")
        return [question]
    if not history and not search.options.decompose:
        return [question]
    with search.watch.stage("rewrite"):
        asked = await standalone(llm, question, history) if history else question
        return await decompose(llm, asked) if search.options.decompose else [asked]


async def _passages(selected: Selection, search: Search) -> list[Passage]:
    """The selected groups with their neighbours, joined."""
    groups, distance = selected.groups, search.options.neighbours
    neighbours: list[ScoredChunk] = []
    if distance and groups:
        found = await search.neighbours([chunk for group in groups for chunk in group], distance)
        neighbours = [ScoredChunk.of(chunk) for chunk in found]
    return await computed(extended_and_joined, neighbours, groups, distance)
