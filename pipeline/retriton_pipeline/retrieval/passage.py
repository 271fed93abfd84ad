"""What retrieval returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Passage:
    """One or several neighbouring chunks of a document, joined.

    Attributes:
        source, title, metadata: of the document.
        context: title and headings above the passage, one line.
        page: where it begins, from 1; None where there are no pages.
        chunk_index: place of its first chunk in the document, from 0.
        text: the passage.
        score: what passages are ordered by: a cosine, a BM25 score, a fused score, or a score of the cross-encoder.
        scores: the score of every stage, by name.
        document_id: the key of the document.
        best_chunk: the text of its best chunk, for prompts in which the whole passage does not fit.
    """

    source: str
    title: str
    context: str
    page: int | None
    chunk_index: int
    text: str
    score: float
    scores: Mapping[str, float] = field(default_factory=dict)
    document_id: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    best_chunk: str = ""

    def as_json(self) -> dict[str, Any]:
        """The passage for programs."""
        return {
            "source": self.source,
            "score": round(self.score, 6),
            "text": self.text,
            "title": self.title,
            "context": self.context,
            "page": self.page,
            "chunk_index": self.chunk_index,
            "document_id": self.document_id,
            "metadata": dict(self.metadata),
            "scores": {stage: round(score, 6) for stage, score in self.scores.items()},
        }


@dataclass(frozen=True)
class Retrieved:
    """The passages for a question, best first.

    Attributes:
        question: as it was asked.
        passages: best first.
        tokens_dropped: tokens dropped from the start of the question, because it exceeds the encoder's limit.
        latency_ms: milliseconds by stage: ``rewrite`` (LLM), ``embed``, ``search`` and ``rerank`` as far as they ran,
            and ``total``.
    """

    question: str
    passages: list[Passage]
    tokens_dropped: int
    latency_ms: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """The result for programs."""
        return {
            "question": self.question,
            "passages": [passage.as_json() for passage in self.passages],
            "latency_ms": rounded(self.latency_ms),
        }


def rounded(latency_ms: Mapping[str, float]) -> dict[str, float]:
    """Milliseconds, rounded to microseconds."""
    return {stage: round(milliseconds, 3) for stage, milliseconds in latency_ms.items()}
