"""Prompts from passages of several vector stores."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

from retriton_pipeline.gateway.services.upstream import Upstream
from retriton_pipeline.gateway.settings import Settings
from retriton_pipeline.generation import Prompt, PromptBuilder
from retriton_pipeline.retrieval import Passage, Turn
from retriton_pipeline.tokens import prompt_counter


class Prompting:
    """Builds prompts within the gateway's budget; tokens are those of its ``prompt_tokenizer``, as for all prompts.

    Args:
        settings: of the gateway.
        upstream: has the encoder, whose tokenizer is the default.
    """

    def __init__(self, settings: Settings, upstream: Upstream) -> None:
        self._settings = settings
        self._upstream = upstream
        self._builders: dict[str, PromptBuilder] = {}

    async def prompt(self, question: str, passages: Sequence[Passage], history: Sequence[Turn]) -> Prompt:
        """The prompt with the passages, best first, that fit. Raises `PipelineError` if the question does not."""
        builder, left = await self._builder(), threading.Event()
        try:
            return await asyncio.to_thread(builder.build, question, passages, history, left.is_set)
        finally:
            left.set()  # a thread cannot be cancelled: it ends before its next passage

    async def _builder(self) -> PromptBuilder:
        encoder = await self._upstream.encoder()
        if encoder.fingerprint not in self._builders:
            count = await asyncio.to_thread(prompt_counter, self._settings.prompt_tokenizer, encoder)
            self._builders = {encoder.fingerprint: PromptBuilder(count, self._settings.prompt_tokens)}
        return self._builders[encoder.fingerprint]
