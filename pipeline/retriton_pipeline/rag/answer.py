"""The results of questions: the prompt, and the answer with its sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from retriton_pipeline.generation import Prompt
from retriton_pipeline.retrieval import Passage
from retriton_pipeline.retrieval.passage import rounded


@dataclass(frozen=True)
class PromptedQuestion:
    """A question with the prompt that an LLM gets.

    Attributes:
        question: as it was asked.
        prompt: the prompt, and the passages in it.
        tokens_dropped: tokens dropped from the start of the question, because it exceeds the encoder's limit.
        latency_ms: milliseconds by stage: those of `Retrieved`, ``assemble`` (the prompt), and ``total``.
    """

    question: str
    prompt: Prompt
    tokens_dropped: int = 0
    latency_ms: dict[str, float] = field(default_factory=dict)

    @property
    def passages(self) -> list[Passage]:
        """The passages in the prompt, in the order of their numbers."""
        return self.prompt.passages

    def as_json(self) -> dict[str, Any]:
        """The result for programs."""
        return {
            "question": self.question,
            "passages": [passage.as_json() for passage in self.passages],
            "prompt": self.prompt.text,
            "latency_ms": rounded(self.latency_ms),
        }


@dataclass(frozen=True)
class Answer:
    """The answer of an LLM, and where it comes from.

    Attributes:
        text: the answer.
        prompted: the question with its prompt and passages.
        citations: numbers of the passages that the answer cites, from 1.
        finish_reason: why the LLM stopped: ``stop``, ``length``, or another value of the endpoint.
        usage: token counts of the endpoint; None if it sends none.
        latency_ms: milliseconds by stage: those of `PromptedQuestion`, ``first_token`` and ``answer``, and ``total``.
    """

    text: str
    prompted: PromptedQuestion
    citations: list[int]
    finish_reason: str = "stop"
    usage: Mapping[str, Any] | None = None
    latency_ms: dict[str, float] = field(default_factory=dict)

    @property
    def passages(self) -> list[Passage]:
        """The passages in the prompt, in the order of their numbers."""
        return self.prompted.passages

    @property
    def sources(self) -> list[Passage]:
        """The passages that the answer cites, in the order of its citations."""
        return [self.passages[number - 1] for number in self.citations]

    def as_json(self) -> dict[str, Any]:
        """The answer for programs; citations with number, source and page."""
        cited = [
            {"number": number, "source": passage.source, "page": passage.page}
            for number, passage in zip(self.citations, self.sources, strict=True)
        ]
        return {
            **self.prompted.as_json(),
            "answer": self.text,
            "citations": cited,
            "latency_ms": rounded(self.latency_ms),
        }
