"""The result of an evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from retriton_pipeline.evaluation.measures import Score


@dataclass(frozen=True)
class EvalReport:
    """Scores, and what they were measured on.

    Attributes:
        dataset, split: what was scored.
        configuration: how it was searched.
        documents, queries: how many there are.
        scores: by measure (see `measures.MEASURES`).
        per_query: the measures of every query, by its id.
        run: the first documents found for every query, by its id.
        embed_tokens_per_s: throughput of indexing the corpus.
        query_ms: milliseconds per query, several queries running concurrently.
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
        """The report for programs, with the usual names of the measures."""
        return {
            "dataset": self.dataset,
            "split": self.split,
            "documents": self.documents,
            "queries": self.queries,
            "ndcg@10": round(self.scores["ndcg@10"].mean, 4),
            "recall@5": round(self.scores["recall@5"].mean, 4),
            "embed_tokens_per_s": round(self.embed_tokens_per_s, 1),
        }
