"""A question to a prompt: what every way to ask shares."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from retriton_pipeline.generation.prompt import Prompt, PromptBuilder
from retriton_pipeline.retrieval import Retriever, SearchOptions, Turn
from retriton_pipeline.store import ScoredChunk


@dataclass(frozen=True)
class Assembled:
    """A prompt, and what led to it.

    Attributes:
        question: as it was asked.
        prompt: for the LLM.
        tokens_dropped: how many tokens of the question's start were too many for the encoder.
        latency_ms: milliseconds of every stage.
    """

    question: str
    prompt: Prompt
    tokens_dropped: int = 0
    latency_ms: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For programs; the passages are those in the prompt, in the order of their numbers."""
        return {
            "question": self.question,
            "passages": passages_json(self.prompt.hits),
            "prompt": self.prompt.text,
            "latency_ms": rounded(self.latency_ms),
        }


def assemble(
    retriever: Retriever,
    builder: PromptBuilder,
    question: str,
    top_k: int,
    options: SearchOptions | None = None,
    history: Sequence[Turn] = (),
) -> Assembled:
    """Retrieves passages for a question, and builds the prompt."""
    found = retriever.retrieve(question, top_k, options, history)
    start = time.perf_counter()
    prompt = builder.build(question, found.hits, history)
    assemble_ms = (time.perf_counter() - start) * 1e3
    stages = {stage: spent for stage, spent in found.latency_ms.items() if stage != "total"}
    latency_ms = {**stages, "assemble": assemble_ms, "total": found.latency_ms["total"] + assemble_ms}
    return Assembled(question, prompt, found.tokens_dropped, latency_ms)


def passages_json(hits: Sequence[ScoredChunk]) -> list[dict[str, Any]]:
    """Passages for programs, best first."""
    return [
        {
            "source": hit.source,
            "score": round(hit.score, 6),
            "text": hit.text,
            "title": hit.title,
            "context": hit.context,
            "page": hit.page,
            "chunk_index": hit.chunk_index,
            "document_id": hit.document_id,
            "metadata": dict(hit.metadata),
            "scores": {stage: round(score, 6) for stage, score in hit.scores.items()},
        }
        for hit in hits
    ]


def rounded(latency: Mapping[str, float]) -> dict[str, float]:
    """Milliseconds to the microsecond."""
    return {stage: round(milliseconds, 3) for stage, milliseconds in latency.items()}
