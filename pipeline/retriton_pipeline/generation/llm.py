"""Streamed answers from any OpenAI-compatible chat endpoint."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from retriton_client.proxies import client_options
from retriton_pipeline.errors import LLMError
from retriton_pipeline.generation.response_limits import limit

if TYPE_CHECKING:
    import openai

T = TypeVar("T")
_ATTEMPTS_MAX = 3
_PAUSE_S = 0.5


@dataclass(frozen=True)
class AnswerDelta:
    """The next part of a streamed answer.

    Attributes:
        text: the next characters; may be empty.
        finish_reason: in the last delta: ``stop``, ``length``, or another value of the endpoint.
        usage: token counts of the endpoint, if it sends them.
    """

    text: str = ""
    finish_reason: str | None = None
    usage: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class LLM:
    """An OpenAI-compatible chat endpoint.

    Attributes:
        url: base address, for example ``http://127.0.0.1:8080/v1``.
        model: the model's name at the endpoint.
        api_key: sent as a bearer token; local servers accept any.
        timeout_s: seconds until the first delta, and between two deltas.
        answer_s_max: seconds of a whole answer.
        answer_characters_max: characters of an answer.
        answer_bytes_max: bytes of a response, which include the names around each delta.
    """

    url: str
    model: str
    api_key: str = field(default="none", repr=False)
    timeout_s: float = 60.0
    answer_s_max: float = 600.0
    answer_characters_max: int = 200_000
    answer_bytes_max: int = 16 * 1024 * 1024

    async def complete(self, prompt: str) -> str:
        """The whole answer to ``prompt``. Raises as `stream`."""
        async with aclosing(self.stream([{"role": "user", "content": prompt}])) as deltas:
            return "".join([delta.text async for delta in deltas])

    async def stream(
        self, messages: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any] | None = None
    ) -> AsyncGenerator[AnswerDelta, None]:
        """The answer to a conversation as it is generated. Closing the generator stops the endpoint.

        A request that fails before the first delta (unreachable, overloaded, disconnected) is sent again, at most
        twice; later never, so that no text is repeated.

        Args:
            messages: as in OpenAI's chat completions.
            parameters: further parameters of theirs, for example ``temperature``.

        Raises:
            LLMError: the endpoint cannot be reached, refuses the request, or redirects it; or the stream breaks off, or
                exceeds a limit.
        """
        started = False
        for attempt in range(1, _ATTEMPTS_MAX + 1):
            try:
                async with aclosing(self._attempt(messages, parameters or {})) as deltas:
                    async for delta in deltas:
                        started = True
                        yield delta
            except Exception as error:
                if started or attempt == _ATTEMPTS_MAX or _is_final(error):
                    broken = "the stream broke off after the answer had begun: " if started else ""
                    raise LLMError(f"{self.url} ({self.model}): {broken}{error}") from error
                await asyncio.sleep(_PAUSE_S * attempt)
            else:
                return

    async def check(self, timeout_s: float = 2.0) -> None:
        """Raises `LLMError` if the endpoint does not respond within ``timeout_s``, or with a server error."""
        import openai

        try:
            async with self._client(timeout_s) as client:
                await client.models.list()
        except openai.InternalServerError as error:
            raise LLMError(f"{self.url}: {error}") from error
        except openai.APIStatusError:
            return
        except openai.OpenAIError as error:
            raise LLMError(f"{self.url}: {error}") from error

    @staticmethod
    def preload() -> None:
        """Imports what the first request needs, which takes half a second: for programs that must not block later."""
        import openai  # noqa: F401

    def _client(self, timeout_s: float) -> openai.AsyncOpenAI:
        import openai

        # A redirect would send the documents, and on the same host the key, to an address that nobody configured.
        http = openai.DefaultAsyncHttpxClient(
            follow_redirects=False,
            timeout=timeout_s,
            event_hooks={"response": [partial(limit, self.answer_bytes_max)]},
            **client_options(self.url),
        )
        return openai.AsyncOpenAI(
            base_url=self.url,
            api_key=self.api_key,
            timeout=timeout_s,
            max_retries=0,
            http_client=http,
            default_headers={"Accept-Encoding": "identity"},
        )

    async def _attempt(
        self, messages: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any]
    ) -> AsyncGenerator[AnswerDelta, None]:
        asked: dict[str, Any] = {"model": self.model, "messages": messages, "stream": True, **parameters}
        async with self._client(self.timeout_s) as client, await client.chat.completions.create(**asked) as events:
            finished, half, characters = False, "", 0
            async for event in self._in_time(aiter(events)):
                delta = _delta(event, half)
                characters += len(delta.text)
                if characters > self.answer_characters_max:
                    raise LLMError(f"the answer exceeds {self.answer_characters_max} characters")
                finished = finished or delta.finish_reason is not None
                half = delta.text[-1:] if not finished and "\ud800" <= delta.text[-1:] <= "\udbff" else ""
                whole = replace(delta, text=_valid(delta.text.removesuffix(half) if half else delta.text))
                if whole.text or whole.finish_reason or whole.usage:
                    yield whole
            if not finished:
                raise _unfinished(events.response.headers.get("content-type", ""))

    async def _in_time(self, events: AsyncIterator[T]) -> AsyncIterator[T]:
        """The events; a line that is no event, such as a comment, does not extend the time until the next one."""
        end_s = time.monotonic() + self.answer_s_max
        while True:
            left_s = end_s - time.monotonic()
            if left_s <= 0:
                raise LLMError(f"the answer was not complete within {self.answer_s_max:g} s")
            try:
                yield await asyncio.wait_for(anext(events), min(left_s, self.timeout_s))
            except StopAsyncIteration:
                return
            except TimeoutError:
                if left_s > self.timeout_s:
                    raise TimeoutError(f"no delta within {self.timeout_s:g} s") from None


def _delta(event: Any, half: str) -> AnswerDelta:
    """The delta in an event; ``half`` is the first half of a surrogate pair, from the event before.

    Endpoints also send events without choices, or with one that has no delta, for example results of a content filter.
    """
    usage: Any = getattr(event, "usage", None)
    choice = next(iter(getattr(event, "choices", None) or ()), None)
    return AnswerDelta(
        half + _text(getattr(getattr(choice, "delta", None), "content", None) or ""),
        getattr(choice, "finish_reason", None) or None,  # some send an empty one in every event
        usage.model_dump(exclude_none=True) if hasattr(usage, "model_dump") else None,
    )


def _text(content: Any) -> str:
    """The text of a content. Some models send a list of parts, of which those of other types are not the answer."""
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        content = "".join(part.get("text") or "" for part in content if part.get("type") == "text")
    if not isinstance(content, str):
        raise TypeError(f"a delta of the answer is not text, but {content!r:.80}")
    return content


def _unfinished(content_type: str) -> Exception:
    if content_type.startswith("application/json"):
        return LLMError(
            "the endpoint answered with one JSON document, not with a stream of events: it ignores `stream`"
        )
    # Without chunked encoding, a lost connection looks like the end.
    return ConnectionError("the answer ended without a finish_reason: it may be incomplete")


def _valid(text: str) -> str:
    """Joins surrogate pairs; a lone surrogate becomes U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _is_final(error: Exception) -> bool:
    """Whether the endpoint would refuse the same request again."""
    import openai

    transient = (openai.InternalServerError, openai.RateLimitError)
    if isinstance(error, LLMError):  # a limit
        return True
    return isinstance(error, openai.APIStatusError) and not isinstance(error, transient)
