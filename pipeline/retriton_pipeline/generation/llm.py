"""Answers from any OpenAI-compatible chat endpoint, streamed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

import openai

from retriton_pipeline.errors import LLMError

_ATTEMPTS_MAX = 3
_PAUSE_S = 0.5


@dataclass(frozen=True)
class Piece:
    """A part of an answer.

    Attributes:
        text: the next characters; may be empty.
        finish_reason: in the last piece: ``stop``, ``length``, or what the endpoint says.
        usage: tokens as the endpoint counts them, where it does.
    """

    text: str = ""
    finish_reason: str | None = None
    usage: Mapping[str, Any] | None = None


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
    api_key: str = field(default="none", repr=False)
    timeout_s: float = 60.0

    def complete(self, prompt: str) -> str:
        """The whole answer to ``prompt``; see `stream`."""
        return "".join(self.stream(prompt))

    def stream(self, prompt: str) -> Iterator[str]:
        """The answer to ``prompt``, piece by piece; see `pieces`."""
        with asyncio.Runner() as runner:
            pieces = self.pieces([{"role": "user", "content": prompt}])
            try:
                while (piece := runner.run(_next(pieces))) is not None:
                    if piece.text:
                        yield piece.text
            finally:
                runner.run(_close(pieces))

    async def pieces(
        self, messages: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any] | None = None
    ) -> AsyncGenerator[Piece, None]:
        """The answer to a conversation, piece by piece. Whoever stops listening closes it, and the endpoint stops.

        An endpoint that is away, overloaded, or breaks off before the first piece is asked again, twice; afterwards
        never, so that nothing is answered twice.

        Args:
            messages: as OpenAI's chat completions take them.
            parameters: more of their parameters, for example ``temperature``.

        Raises:
            LLMError: the endpoint cannot be reached, refuses, or breaks off.
        """
        started = False
        for attempt in range(1, _ATTEMPTS_MAX + 1):
            try:
                async with aclosing(self._attempt(messages, parameters or {})) as pieces:
                    async for piece in pieces:
                        started = True
                        yield piece
            except Exception as error:
                if started or attempt == _ATTEMPTS_MAX or _is_final(error):
                    broken = "broke off after the answer had begun: " if started else ""
                    raise LLMError(f"{self.url} ({self.model}): {broken}{error}") from error
                await asyncio.sleep(_PAUSE_S * attempt)
            else:
                return

    async def check(self, timeout_s: float = 2.0) -> None:
        """Raises `LLMError` if nobody answers at the endpoint; what it answers does not matter."""
        try:
            async with self._client(timeout_s) as client:
                await client.models.list()
        except openai.InternalServerError as error:
            raise LLMError(f"{self.url}: {error}") from error
        except openai.APIStatusError:
            return
        except openai.OpenAIError as error:
            raise LLMError(f"{self.url}: {error}") from error

    def _client(self, timeout_s: float) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=self.url, api_key=self.api_key, timeout=timeout_s, max_retries=0)

    async def _attempt(
        self, messages: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any]
    ) -> AsyncGenerator[Piece, None]:
        asked: dict[str, Any] = {"model": self.model, "messages": messages, "stream": True, **parameters}
        async with self._client(self.timeout_s) as client, await client.chat.completions.create(**asked) as events:
            finished, half = False, ""
            async for event in events:
                piece = _piece(event, half)
                finished = finished or piece.finish_reason is not None
                half = piece.text[-1:] if not finished and "\ud800" <= piece.text[-1:] <= "\udbff" else ""
                whole = replace(piece, text=_valid(piece.text.removesuffix(half) if half else piece.text))
                if whole.text or whole.finish_reason or whole.usage:
                    yield whole
            if not finished:  # without chunked encoding, a connection that breaks looks like one that ends
                raise ConnectionError("the answer ended without saying that it is complete")


def _piece(event: Any, half: str) -> Piece:
    """What an event says; ``half`` is the first half of a character, from the event before."""
    usage = event.usage.model_dump(exclude_none=True) if event.usage else None
    for choice in event.choices[:1]:
        if not isinstance(content := choice.delta.content or "", str):
            raise TypeError(f"a piece of the answer is no text, but {content!r:.80}")
        return Piece(half + content, choice.finish_reason, usage)
    return Piece(half, usage=usage)


def _valid(text: str) -> str:
    """Characters that came in halves, put together; a half without the other becomes a question mark."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


async def _next(pieces: AsyncGenerator[Piece, None]) -> Piece | None:
    return await anext(pieces, None)


async def _close(pieces: Any) -> None:
    await pieces.aclose()


def _is_final(error: Exception) -> bool:
    """Whether the endpoint understood the request and will refuse it again."""
    transient = (openai.InternalServerError, openai.RateLimitError)
    return isinstance(error, openai.APIStatusError) and not isinstance(error, transient)
