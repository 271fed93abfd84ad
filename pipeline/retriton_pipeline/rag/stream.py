"""An answer while it is generated."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from retriton_pipeline.errors import LLMError
from retriton_pipeline.generation import LLM, AnswerDelta
from retriton_pipeline.rag.answer import Answer, PromptedQuestion
from retriton_pipeline.retrieval import Passage


class AnswerStream(AsyncIterator[AnswerDelta]):
    """The deltas of an answer; afterwards `answer` is the whole. Close it to stop the LLM early.

    Args:
        llm: generates the answer.
        prompted: what is asked.
        parameters: further parameters of the LLM, for example ``temperature``.
        instructions: messages before the prompt, for example one with the role ``system``.
    """

    def __init__(
        self,
        llm: LLM,
        prompted: PromptedQuestion,
        parameters: Mapping[str, Any] | None = None,
        instructions: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.prompted = prompted
        messages = [*instructions, {"role": "user", "content": prompted.prompt.text}]
        self._deltas = llm.stream(messages, parameters)
        self._started_s = time.perf_counter()
        self._latency_ms: dict[str, float] = {}
        self._text: list[str] = []
        self._finish_reason: str | None = None
        self._usage: Mapping[str, Any] | None = None

    @property
    def passages(self) -> list[Passage]:
        """The passages in the prompt; known before the first delta."""
        return self.prompted.passages

    async def __anext__(self) -> AnswerDelta:
        """The next delta. Raises `LLMError` if the endpoint fails or the stream breaks off."""
        delta = await anext(self._deltas)
        if delta.text:
            self._latency_ms.setdefault("first_token", self._elapsed_ms())
            self._text.append(delta.text)
        self._finish_reason = delta.finish_reason or self._finish_reason
        self._usage = delta.usage or self._usage
        self._latency_ms["answer"] = self._elapsed_ms()
        return delta

    async def aclose(self) -> None:
        """Stops the LLM, unless the answer is complete."""
        await self._deltas.aclose()

    async def complete(self) -> Answer:
        """Reads the remaining deltas, and returns the whole answer."""
        try:
            async for _ in self:
                pass
        finally:
            await self.aclose()
        return self.answer

    @property
    def answer(self) -> Answer:
        """The whole answer; once all deltas were read."""
        if self._finish_reason is None:
            raise LLMError("the answer is not complete: read all its deltas first")
        text = "".join(self._text)
        before = self.prompted.latency_ms
        total = before.get("total", 0.0) + self._latency_ms["answer"]
        return Answer(
            text=text,
            prompted=self.prompted,
            citations=self.prompted.prompt.cited(text),
            finish_reason=self._finish_reason,
            usage=self._usage,
            latency_ms={**before, **self._latency_ms, "total": total},
        )

    def _elapsed_ms(self) -> float:
        return (time.perf_counter() - self._started_s) * 1e3
