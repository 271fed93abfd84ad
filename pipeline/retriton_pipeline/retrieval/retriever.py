"""Embeds questions, searches, and makes passages of what is found."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from retriton_client import Client
from retriton_pipeline.errors import PipelineError
from retriton_pipeline.llm import LLM
from retriton_pipeline.retrieval.conversation import search_in_conversation
from retriton_pipeline.retrieval.fusion import with_score
from retriton_pipeline.retrieval.hops import follow_names
from retriton_pipeline.retrieval.options import RetrievalOptions, Turn
from retriton_pipeline.retrieval.passages import diversified, extended, grouped, joined, without_duplicates
from retriton_pipeline.retrieval.rewriting import decompose, standalone
from retriton_pipeline.retrieval.search import Search
from retriton_pipeline.stopwatch import Stopwatch
from retriton_pipeline.store import Hit, Store
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
    hits: list[Hit]
    tokens_dropped: int
    latency_ms: dict[str, float]


class Retriever:
    """Searches one collection; safe to use from several threads.

    Args:
        client: the server.
        store: the collection; checked against the served encoder here.
        llm: rewrites questions in conversations, and splits those that ask for more than one thing.

    Raises:
        EncoderMismatch, NoSuchCollection: see `Store.open`.
    """

    def __init__(self, client: Client, store: Store, llm: LLM | None = None) -> None:
        self._client = client
        self._llm = llm
        self._store = store
        self._threads = ThreadPoolExecutor(thread_name_prefix="keywords")
        store.open(client.encoder_info())

    def retrieve(
        self,
        question: str,
        top_k: int = 5,
        options: RetrievalOptions | None = None,
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
        options = options or RetrievalOptions()
        if not 1 <= top_k <= TOP_K_MAX:
            raise PipelineError(f"top-k is {top_k}, it must be from 1 to {TOP_K_MAX}")
        watch = Stopwatch()
        depth = max(top_k, options.candidates)
        while True:
            ranked, dropped = self.ranked(question, depth, options, history, watch)
            unique = without_duplicates(ranked)
            if len(unique) >= top_k or len(ranked) < depth or depth == TOP_K_MAX:
                break
            depth = min(4 * depth, TOP_K_MAX)  # copies of the same text took the places
        return Retrieved(question, self._passages(unique, top_k, options, watch), dropped, watch.milliseconds())

    def ranked(
        self,
        question: str,
        depth: int,
        options: RetrievalOptions,
        history: Sequence[Turn] = (),
        watch: Stopwatch | None = None,
    ) -> tuple[list[Hit], int]:
        """The best chunks for ``question``, before passages are made of them, and the tokens of it that were dropped.

        Args:
            question: as for `retrieve`.
            depth: how many chunks each search gives.
            options: as for `retrieve`.
            history: as for `retrieve`.
            watch: measures the stages.
        """
        search = Search(self._client, self._store, self._threads, options, depth, watch or Stopwatch())
        questions = self._rewritten(question, history, search)
        if history and not self._llm:  # no second hop: it would look for names without what the conversation adds
            hits = search.fused(*search_in_conversation(search, question, history))
        else:
            hits = search.fused(*search.both(questions))
            if options.hops > 1 and search.by_words:
                hits = follow_names(search, questions[0], hits)
        if options.rerank and hits:
            with search.watch.stage("rerank"):
                hits = self._reranked(questions[0], hits)
        return hits, search.tokens_dropped

    def _rewritten(self, question: str, history: Sequence[Turn], search: Search) -> list[str]:
        """The question as it stands for itself, and the simple ones that it consists of, as far as an LLM helps."""
        if self._llm is None:
            if search.options.decompose:
                raise PipelineError("only an LLM can split a question: name one, with --llm-url and --llm-model")
            return [question]
        with search.watch.stage("rewrite"):
            asked = standalone(self._llm, question, history) if history else question
            return decompose(self._llm, asked) if search.options.decompose else [asked]

    def _passages(self, hits: list[Hit], top_k: int, options: RetrievalOptions, watch: Stopwatch) -> list[Hit]:
        if options.score_min is not None:
            hits = [hit for hit in hits if hit.score >= options.score_min]
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

    def _reranked(self, question: str, hits: list[Hit]) -> list[Hit]:
        texts = [f"{hit.context}\n{hit.text}" if hit.context else hit.text for hit in hits]
        scores = self._client.rerank(question, texts, truncate="END").scores
        scored = [with_score(hit, "rerank", float(score)) for hit, score in zip(hits, scores, strict=True)]
        return sorted(scored, key=lambda hit: -hit.score)
