"""Answers from any OpenAI-compatible chat endpoint, streamed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from openai import OpenAI

from retriton_pipeline.errors import LLMError


@dataclass(frozen=True)
class LLM:
    """Where answers come from.

    Attributes:
        url: base address, for example ``http://127.0.0.1:8080/v1``.
        model: its name there.
        api_key: sent as a bearer token; local servers take any.
        timeout_s: between two pieces of the answer.
    """

    url: str
    model: str
    api_key: str = "none"
    timeout_s: float = 60.0

    def stream(self, prompt: str) -> Iterator[str]:
        """The answer to ``prompt``, piece by piece.

        Raises:
            LLMError: the endpoint cannot be reached, or refuses.
        """
        client = OpenAI(base_url=self.url, api_key=self.api_key, timeout=self.timeout_s, max_retries=2)
        try:
            for event in client.chat.completions.create(
                model=self.model, messages=[{"role": "user", "content": prompt}], stream=True
            ):
                if event.choices and (piece := event.choices[0].delta.content):
                    yield piece
        except Exception as error:
            raise LLMError(f"{self.url} ({self.model}): {error}") from error
        finally:
            client.close()
