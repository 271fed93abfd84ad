"""Embeds a dataset through Triton, searches it through Milvus, and scores the ranking."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ir_measures import R, ScoredDoc, calc_aggregate, nDCG

from retriton_client import Client
from retriton_pipeline.batches import batched
from retriton_pipeline.chunking import Chunk
from retriton_pipeline.evaluation.dataset import Dataset
from retriton_pipeline.store import Store, StoredDocument

_TEXTS_PER_CALL = 256
_QUERIES_PER_SEARCH = 64
_DEPTH = 100


@dataclass(frozen=True)
class EvalReport:
    """Scores and what they were measured on."""

    dataset: str
    split: str
    documents: int
    queries: int
    ndcg_at_10: float
    recall_at_5: float
    embed_tokens_per_s: float

    def as_json(self) -> dict[str, Any]:
        """The report for programs, with the field's names of the measures."""
        return {
            "dataset": self.dataset,
            "split": self.split,
            "documents": self.documents,
            "queries": self.queries,
            "ndcg@10": round(self.ndcg_at_10, 4),
            "recall@5": round(self.recall_at_5, 4),
            "embed_tokens_per_s": round(self.embed_tokens_per_s, 1),
        }


def evaluate(
    dataset: Dataset,
    client: Client,
    milvus_uri: str,
    milvus_token: str = "",
    on_texts: Callable[[int], None] = lambda count: None,
) -> EvalReport:
    """Scores the served encoder on ``dataset``, in a collection that exists only meanwhile.

    Texts longer than the encoder takes lose their end. Empty documents are never found; a query without hits
    scores zero.

    Args:
        dataset: what to score.
        client: the server.
        milvus_uri: see `Store`.
        milvus_token: see `Store`.
        on_texts: told how many more texts are embedded, for a progress bar.
    """
    store = Store(milvus_uri, f"eval_{uuid.uuid4().hex[:12]}", milvus_token)
    try:
        store.open(client.encoder_info(), create=True)
        try:
            tokens_per_s = _index(dataset, client, store, on_texts)
            run = list(_search(dataset, client, store, on_texts))
        finally:
            store.drop()
    finally:
        store.close()
    scores = calc_aggregate([nDCG @ 10, R @ 5], dataset.qrels, run)
    return EvalReport(
        dataset.name,
        dataset.split,
        len(dataset.corpus),
        len(dataset.queries),
        scores[nDCG @ 10],
        scores[R @ 5],
        tokens_per_s,
    )


def _index(dataset: Dataset, client: Client, store: Store, on_texts: Callable[[int], None]) -> float:
    """Embeds and stores the corpus; returns the tokens embedded per second."""
    tokens, seconds = 0, 0.0
    for documents in batched((document for document, text in dataset.corpus.items() if text), _TEXTS_PER_CALL):
        start = time.perf_counter()
        embeddings = client.embed([dataset.corpus[document] for document in documents], "passage", truncate="END")
        seconds += time.perf_counter() - start
        tokens += int(embeddings.tokens.sum())
        rows = [(StoredDocument("", document, "", document), Chunk("", "", None, 0)) for document in documents]
        store.upsert(rows, embeddings.vectors)
        on_texts(len(documents))
    return tokens / seconds if seconds else 0.0


def _search(dataset: Dataset, client: Client, store: Store, on_texts: Callable[[int], None]) -> Iterator[ScoredDoc]:
    for queries in batched((query for query, text in dataset.queries.items() if text), _QUERIES_PER_SEARCH):
        vectors = client.embed_queries([dataset.queries[query] for query in queries], truncate="END")
        for query, hits in zip(queries, store.search(vectors, _DEPTH, consistency="Strong"), strict=True):
            yield from (ScoredDoc(query, hit.source, hit.score) for hit in hits)
        on_texts(len(queries))
