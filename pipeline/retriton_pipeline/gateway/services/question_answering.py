"""Questions to prompts and answers, from the collection that a request names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from retriton_pipeline.gateway.metrics import GatewayMetrics
from retriton_pipeline.gateway.services.collections import Collections
from retriton_pipeline.gateway.settings import Settings
from retriton_pipeline.rag import Answer, AsyncRag, PromptedQuestion
from retriton_pipeline.retrieval import Retrieved, SearchOptions, Turn
from retriton_pipeline.retrieval.passage import rounded

Found = TypeVar("Found", Retrieved, PromptedQuestion)


class QuestionAnswering:
    """Retrieves passages, builds prompts, and measures the stages of answers."""

    def __init__(self, settings: Settings, collections: Collections, metrics: GatewayMetrics) -> None:
        self._default_collection = settings.collection
        self._collections = collections
        self._metrics = metrics

    async def retrieve(
        self, question: str, collection: str | None, options: SearchOptions, history: Sequence[Turn]
    ) -> Retrieved:
        """The passages for a question. Raises as `AsyncRag.search`."""
        return await self._measured(collection, lambda rag: rag.search(question, options, history))

    async def prompt(
        self, question: str, collection: str | None, options: SearchOptions, history: Sequence[Turn]
    ) -> PromptedQuestion:
        """The prompt for a question, with the passages in it. Raises as `AsyncRag.prompted`."""
        return await self._measured(collection, lambda rag: rag.prompted(question, options, history))

    def observe(self, answer: Answer) -> dict[str, float]:
        """Records the stages of a complete answer; all its stages as HTTP names them, in milliseconds."""
        latency_ms = {_HTTP_STAGES.get(stage, stage): spent for stage, spent in answer.latency_ms.items()}
        before = answer.prompted.latency_ms
        self._metrics.observe_stages({stage: spent for stage, spent in latency_ms.items() if stage not in before})
        return rounded(latency_ms)

    async def _measured(self, collection: str | None, work: Callable[[AsyncRag], Awaitable[Found]]) -> Found:
        """Runs ``work`` on a collection, and records its stages."""
        found = await self._collections.retrieve(collection or self._default_collection, work)
        self._metrics.observe_stages(found.latency_ms)
        return found


_HTTP_STAGES = {"first_token": "first_piece"}  # the name in responses and metrics is part of the HTTP interface
