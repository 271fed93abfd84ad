"""Answers from any OpenAI-compatible chat endpoint, streamed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import openai

from retriton_pipeline.errors import LLMError

_ATTEMPTS_MAX = 3
_PAUSE_S = 0.5


@dataclass(frozen=True)
class LLM:
    """Where answers come from.

    Attributes:
        url: base address, for example ``http://127.0.0.1:8080/v1``.
        model: its name there.
        api_key: sent as a bearer token; local servers take any.
        timeout_s: until the first piece, and between two pieces of the answer.
    """

    url: str
    model: str
    api_key: str = "none"
    timeout_s: float = 60.0

    def complete(self, prompt: str) -> str:
        """The whole answer to ``prompt``; see `stream`."""
        return "".join(self.stream(prompt))

    def stream(self, prompt: str) -> Iterator[str]:
        """The answer to ``prompt``, piece by piece.

        An endpoint that is away, overloaded, or breaks off before the first piece is asked again, twice; afterwards
        never, so that nothing is answered twice.

        Raises:
            LLMError: the endpoint cannot be reached, refuses, or breaks off.
        """
        started = False
        for attempt in range(1, _ATTEMPTS_MAX + 1):
            try:
                for piece in self._attempt(prompt):
                    started = True
                    yield piece
            except Exception as error:
                if started or attempt == _ATTEMPTS_MAX or _is_final(error):
                    broken = "broke off after the answer had begun: " if started else ""
                    raise LLMError(f"{self.url} ({self.model}): {broken}{error}") from error
                time.sleep(_PAUSE_S * attempt)
            else:
                return

    def _attempt(self, prompt: str) -> Iterator[str]:
        client = openai.OpenAI(base_url=self.url, api_key=self.api_key, timeout=self.timeout_s, max_retries=0)
        with (
            client,
            client.chat.completions.create(
                model=self.model, messages=[{"role": "user", "content": prompt}], stream=True
            ) as events,
        ):
            answered = False
            for event in events:
                for choice in event.choices[:1]:
                    answered = answered or bool(choice.finish_reason or choice.delta.content)
                    if choice.delta.content:
                        yield choice.delta.content
            if not answered:  # without chunked encoding, a connection that breaks looks like one that ends
                raise ConnectionError("the answer ended before it began")


def _is_final(error: Exception) -> bool:
    """Whether the endpoint understood the request and will refuse it again."""
    transient = (openai.InternalServerError, openai.RateLimitError)
    return isinstance(error, openai.APIStatusError) and not isinstance(error, transient)
