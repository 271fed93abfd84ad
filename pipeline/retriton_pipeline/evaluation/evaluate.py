"""Embeds a dataset through Triton, searches it through Milvus, and scores the rankings."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ir_measures import ScoredDoc

from retriton_client import Client
from retriton_pipeline.batches import batched
from retriton_pipeline.chunking import Chunk, ChunkSize
from retriton_pipeline.documents import Unreadable
from retriton_pipeline.evaluation.corpus import corpus_rows
from retriton_pipeline.evaluation.dataset import Dataset
from retriton_pipeline.evaluation.measures import DEPTH, Score, per_query, summarize
from retriton_pipeline.retrieval import Retriever, SearchOptions
from retriton_pipeline.store import ScoredChunk, Store, StoredDocument

_TEXTS_PER_CALL = 256
_CHARACTERS_MAX = 100_000
_QUERIES_AT_ONCE = 8
_CHUNKS_PER_DOCUMENT = 3  # as many chunks more are fetched, where documents are cut


@dataclass(frozen=True)
class Configuration:
    """How the queries of a dataset are searched.

    Attributes:
        mode: see `SearchOptions`.
        history: whether what was said before a query is used.
        rerank, hops: see `SearchOptions`.
    """

    mode: str = "dense"
    history: bool = False
    rerank: bool = False
    hops: int = 1

    @property
    def options(self) -> SearchOptions:
        """How that is searched; raises `PipelineError` for what cannot be."""
        return SearchOptions(mode=self.mode, rerank=self.rerank, hops=self.hops, candidates=DEPTH)

    @property
    def name(self) -> str:
        """For tables."""
        extras = [
            "history" if self.history else "",
            "rerank" if self.rerank else "",
            f"{self.hops} hops" if self.hops > 1 else "",
        ]
        return " + ".join([self.mode, *filter(None, extras)])


@dataclass(frozen=True)
class EvalReport:
    """Scores and what they were measured on.

    Attributes:
        dataset, split: what was scored.
        configuration: how it was searched.
        documents, queries: how many there are.
        scores: by measure (see `measures.MEASURES`).
        per_query: the measures of every query, by its id.
        run: the first documents found for every query, by its id.
        embed_tokens_per_s: of the corpus.
        query_ms: milliseconds of an average query, when several are searched at once.
    """

    dataset: str
    split: str
    configuration: str
    documents: int
    queries: int
    scores: dict[str, Score]
    per_query: dict[str, dict[str, float]]
    run: dict[str, list[str]]
    embed_tokens_per_s: float
    query_ms: float

    def as_json(self) -> dict[str, Any]:
        """The report for programs, with the field's names of the measures."""
        return {
            "dataset": self.dataset,
            "split": self.split,
            "documents": self.documents,
            "queries": self.queries,
            "ndcg@10": round(self.scores["ndcg@10"].mean, 4),
            "recall@5": round(self.scores["recall@5"].mean, 4),
            "embed_tokens_per_s": round(self.embed_tokens_per_s, 1),
        }


@contextmanager
def indexed(
    dataset: Dataset,
    client: Client,
    milvus_uri: str,
    milvus_token: str = "",
    size: ChunkSize | None = None,
    files: Path | None = None,
    on_texts: Callable[[int], None] = lambda count: None,
) -> Iterator[Evaluation]:
    """A dataset in a collection that exists only meanwhile.

    Documents without text are never found, and a query without hits scores zero. Nothing that is given is changed.

    Args:
        dataset: what to score.
        client: the server.
        milvus_uri: see `Store`.
        milvus_token: see `Store`.
        size: cuts documents into chunks, of which the best one counts; None embeds each whole, without what is too
            long for the encoder.
        files: the folder with the files that the corpus was made from, to score the way that documents go by
            ingestion; a page of a file has the id ``name#page=1``, a file without pages ``name``.
        on_texts: told how many more texts are embedded, for a progress bar.
    """
    size = size or (ChunkSize() if files else None)
    skipped: list[Unreadable] = []
    with closing(Store(milvus_uri, f"eval_{uuid.uuid4().hex[:12]}", milvus_token, consistency="Strong")) as store:
        try:
            encoder = client.encoder_info()
            store.open(encoder, create=True, index="flat")
            tokens_per_s = _index(corpus_rows(dataset, encoder, size, files, skipped), client, store, on_texts)
            yield Evaluation(dataset, Retriever(client, store), size, skipped, tokens_per_s, on_texts)
        finally:
            store.remove()


@dataclass(frozen=True)
class Evaluation:
    """An indexed dataset; made by `indexed`.

    Attributes:
        dataset: what is scored.
        retriever: of its collection.
        size: of the chunks; None where documents are whole.
        skipped: what of the files could not be read.
        embed_tokens_per_s: of the corpus.
        on_texts: see `indexed`.
    """

    dataset: Dataset
    retriever: Retriever
    size: ChunkSize | None
    skipped: list[Unreadable]
    embed_tokens_per_s: float
    on_texts: Callable[[int], None]

    def run(self, configuration: Configuration) -> EvalReport:
        """Searches every query in one way, and scores what was found."""
        options = configuration.options
        depth = DEPTH * _CHUNKS_PER_DOCUMENT if self.size else DEPTH

        def search(query: str) -> list[ScoredDoc]:
            text = self.dataset.queries[query]
            if not text:
                return []
            history = self.dataset.histories.get(query, []) if configuration.history else []
            hits = self.retriever.ranked(text, depth, options, history)
            self.on_texts(1)
            return [ScoredDoc(query, document, -float(rank)) for rank, document in enumerate(_documents(hits))]

        start = time.perf_counter()
        with ThreadPoolExecutor(_QUERIES_AT_ONCE) as threads:
            found = list(threads.map(search, self.dataset.queries))
        query_ms = (time.perf_counter() - start) * 1e3 / len(self.dataset.queries)
        values = per_query(self.dataset.qrels, [row for rows in found for row in rows])
        return EvalReport(
            self.dataset.name,
            self.dataset.split,
            configuration.name + (f", chunks of {self.size.tokens}" if self.size else ""),
            len(self.dataset.corpus),
            len(self.dataset.queries),
            summarize(values),
            values,
            {query: [row.doc_id for row in rows[:10]] for query, rows in zip(self.dataset.queries, found, strict=True)},
            self.embed_tokens_per_s,
            query_ms,
        )


def _index(
    rows: Iterator[tuple[StoredDocument, Chunk]], client: Client, store: Store, on_texts: Callable[[int], None]
) -> float:
    """Embeds and stores the corpus; returns the tokens embedded per second."""
    tokens, seconds = 0, 0.0
    for batch in batched(rows, _TEXTS_PER_CALL):
        start = time.perf_counter()
        # what is longer is cut by the encoder anyway, but refused by the server
        texts = [chunk.embedded_text[:_CHARACTERS_MAX] for _, chunk in batch]
        embeddings = client.embed(texts, "passage", truncate="END")
        seconds += time.perf_counter() - start
        tokens += int(embeddings.tokens.sum())
        store.upsert(batch, embeddings.vectors)
        on_texts(len(batch))
    return tokens / seconds if seconds else 0.0


def evaluate(dataset: Dataset, client: Client, milvus_uri: str, milvus_token: str = "") -> EvalReport:
    """Scores the served encoder on ``dataset``: whole documents, vectors alone."""
    with indexed(dataset, client, milvus_uri, milvus_token) as evaluation:
        return evaluation.run(Configuration())


def _documents(hits: list[ScoredChunk]) -> list[str]:
    """The ids of documents, each at the rank of its best chunk."""
    ids = (f"{hit.source}#page={hit.page}" if hit.page else hit.source for hit in hits)
    return list(dict.fromkeys(ids))[:DEPTH]
