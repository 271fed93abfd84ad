"""Embeds questions, searches, and makes passages of what is found."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from retriton_client import Client, EncoderInfo
from retriton_pipeline.chunking import with_context
from retriton_pipeline.errors import PipelineError
from retriton_pipeline.generation.llm import LLM
from retriton_pipeline.retrieval.conversation import search_in_conversation
from retriton_pipeline.retrieval.fusion import with_score
from retriton_pipeline.retrieval.options import SearchOptions, Turn
from retriton_pipeline.retrieval.passages import diversified, extended, grouped, joined, without_duplicates
from retriton_pipeline.retrieval.rewriting import decompose, standalone
from retriton_pipeline.retrieval.search import Search
from retriton_pipeline.retrieval.second_hop import second_hop
from retriton_pipeline.stopwatch import Stopwatch
from retriton_pipeline.store import ScoredChunk, Store
from retriton_pipeline.store.indexes import TOP_K_MAX


@dataclass(frozen=True)
class Retrieved:
    """The passages for a question, best first.

    Attributes:
        question: as it was asked.
        hits: the passages.
        tokens_dropped: how many tokens of the question's start were too many for the encoder.
        latency_ms: milliseconds of ``rewrite`` (by an LLM), ``embed``, ``search``, ``rerank``, as far as there were
            such stages, and ``total``.
    """

    question: str
    hits: list[ScoredChunk]
    tokens_dropped: int
    latency_ms: dict[str, float]


class Retriever:
    """Searches one collection; safe to use from several threads.

    Args:
        client: the server.
        store: the collection; checked against the served encoder here.
        llm: rewrites questions in conversations, and splits those that ask for more than one thing.
        encoder: what the server serves; None asks it.

    Raises:
        EncoderMismatch, NoSuchCollection: see `Store.open`.
    """

    def __init__(
        self, client: Client, store: Store, llm: LLM | None = None, encoder: EncoderInfo | None = None
    ) -> None:
        self._client = client
        self._llm = llm
        self._store = store
        self._threads = ThreadPoolExecutor(thread_name_prefix="keywords")
        store.open(encoder or client.encoder_info())

    def close(self) -> None:
        """Ends its threads; client and store stay open."""
        self._threads.shutdown(wait=False)

    def retrieve(
        self,
        question: str,
        top_k: int = 5,
        options: SearchOptions | None = None,
        history: Sequence[Turn] = (),
    ) -> Retrieved:
        """The ``top_k`` best passages for ``question``. A question too long for the encoder loses its start.

        Args:
            question: what was asked last.
            top_k: how many passages.
            options: how to look for them.
            history: what was said before it, oldest first.

        Raises:
            PipelineError: a wrong ``top_k``; StoreError and RetritonError as the store and the server raise them.
        """
        options = options or SearchOptions()
        if not 1 <= top_k <= TOP_K_MAX:
            raise PipelineError(f"top-k is {top_k}, it must be from 1 to {TOP_K_MAX}")
        search = self._search(max(top_k, options.candidates), options)
        questions = self._rewritten(question, history, search)
        while True:
            ranked = self._ranked(search, questions, history)
            unique = without_duplicates(ranked)
            if len(unique) >= top_k or len(ranked) < search.depth or search.depth == TOP_K_MAX:
                break
            search.depth = min(4 * search.depth, TOP_K_MAX)  # copies of the same text took the places
        hits = self._passages(unique, top_k, options, search.watch)
        return Retrieved(question, hits, search.tokens_dropped, search.watch.milliseconds())

    def ranked(
        self, question: str, depth: int, options: SearchOptions, history: Sequence[Turn] = ()
    ) -> list[ScoredChunk]:
        """The best chunks for ``question``, before passages are made of them.

        Args:
            question: as for `retrieve`.
            depth: how many chunks each search gives.
            options: as for `retrieve`.
            history: as for `retrieve`.
        """
        search = self._search(depth, options)
        return self._ranked(search, self._rewritten(question, history, search), history)

    def _search(self, depth: int, options: SearchOptions) -> Search:
        return Search(self._client, self._store, self._threads, options, depth)

    def _ranked(self, search: Search, questions: list[str], history: Sequence[Turn]) -> list[ScoredChunk]:
        if history and not self._llm:  # no second hop: it would look for names without what the conversation adds
            hits = search.fused(*search_in_conversation(search, questions[0], history))
        else:
            hits = search.fused(*search.both(questions))
            if search.options.hops > 1 and search.by_words:
                hits = second_hop(search, questions[0], hits)
        if search.options.rerank and hits:
            with search.watch.stage("rerank"):
                hits = self._reranked(questions[0], hits)
        return hits

    def _rewritten(self, question: str, history: Sequence[Turn], search: Search) -> list[str]:
        """The question as it stands for itself, and the simple ones that it consists of, as far as an LLM helps."""
        if self._llm is None:
            if search.options.decompose:
                raise PipelineError("only an LLM can split a question: name one, with --llm-url and --llm-model")
            return [question]
        if not history and not search.options.decompose:
            return [question]
        with search.watch.stage("rewrite"):
            asked = standalone(self._llm, question, history) if history else question
            return decompose(self._llm, asked) if search.options.decompose else [asked]

    def _passages(
        self, hits: list[ScoredChunk], top_k: int, options: SearchOptions, watch: Stopwatch
    ) -> list[ScoredChunk]:
        if options.min_score is not None:
            hits = [hit for hit in hits if hit.score >= options.min_score]
        if options.diversity and hits:
            with watch.stage("search"):
                vectors = self._store.vectors(hits)
            hits = diversified(hits, vectors, len(hits), options.diversity)
        passages = grouped(hits, top_k)
        if options.neighbours and passages:
            with watch.stage("search"):
                found = self._store.neighbours([hit for group in passages for hit in group], options.neighbours)
            passages = extended(passages, found, options.neighbours)
        return [joined(group) for group in passages]

    def _reranked(self, question: str, hits: list[ScoredChunk]) -> list[ScoredChunk]:
        texts = [with_context(hit.context, hit.text) for hit in hits]
        scores = self._client.rerank(question, texts, truncate="END").scores
        scored = [with_score(hit, "rerank", float(score)) for hit, score in zip(hits, scores, strict=True)]
        return sorted(scored, key=lambda hit: -hit.score)
