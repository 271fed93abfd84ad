"""The client. `_sync.Client` is this one on an event loop of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import InferInput, InferRequestedOutput
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from retriton_client._config import Limits, Retry
from retriton_client._exceptions import DeadlineExceeded, InvalidRequest, RetritonError, ServerFault, translate
from retriton_client._types import Embeddings, EncoderInfo, Role, Truncate

DEFAULT_URL = "127.0.0.1:8001"
DEFAULT_TIMEOUT_S = 60.0
_OUTPUTS = ("embedding", "tokens", "tokens_dropped")
_LANES: dict[Role, str] = {"query": "embed_query", "passage": "embed_passage"}


class AsyncClient:
    """Asks one server for vectors; to be used, and closed, in one event loop.

    Args:
        url: ``host:port`` of the server's gRPC endpoint.
        timeout_s: the time for one call, all its requests and retries together.
        limits: how much is sent at a time.
        retry: when a request is sent again.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        limits: Limits | None = None,
        retry: Retry | None = None,
    ) -> None:
        self.url = url
        self._timeout_s = timeout_s
        self._limits = limits or Limits()
        self._retry = retry or Retry()
        self._connection: InferenceServerClient | None = None
        self._slots = {role: asyncio.Semaphore(self._limits.requests_in_flight) for role in _LANES}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connection."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def embed_queries(self, texts: Sequence[str], *, truncate: Truncate = "NONE") -> NDArray[np.float32]:
        """Vectors of queries, float32 ``[texts, dimension]``, in the order of the texts. Raises as `embed`."""
        return (await self.embed(texts, "query", truncate=truncate)).vectors

    async def embed_passages(self, texts: Sequence[str], *, truncate: Truncate = "NONE") -> NDArray[np.float32]:
        """Vectors of passages, float32 ``[texts, dimension]``, in the order of the texts. Raises as `embed`."""
        return (await self.embed(texts, "passage", truncate=truncate)).vectors

    async def embed(
        self, texts: Sequence[str], role: Role, *, truncate: Truncate = "NONE", timeout_s: float | None = None
    ) -> Embeddings:
        """Vectors and token counts of ``texts``, all or none.

        Args:
            texts: what to embed; the server adds the prefix of the role.
            role: ``query`` goes the low-latency lane, ``passage`` the throughput lane.
            truncate: what the server does with too long texts: refuse (NONE), drop their START or their END.
            timeout_s: for this call, instead of the client's.

        Raises:
            TextTooLong: a text does not fit and ``truncate`` is NONE.
            InvalidRequest: a text is empty, or there is none.
            Overloaded, Unavailable: still, after the last retry.
            DeadlineExceeded: the time is over.
            ServerFault: the server answered something it should not.
        """
        if isinstance(texts, str) or not texts:
            raise InvalidRequest(f"texts is a list of at least one string, not {texts!r:.60}")
        deadline_s = time.monotonic() + (self._timeout_s if timeout_s is None else timeout_s)
        size = self._limits.texts_per_request
        requests = [
            self._embed_request(texts[first : first + size], first, role, truncate, deadline_s)
            for first in range(0, len(texts), size)
        ]
        parts = await _all_or_first_error(requests)
        return Embeddings(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    async def encoder_info(self) -> EncoderInfo:
        """What the server serves. Raises as `embed`."""
        deadline_s = time.monotonic() + self._timeout_s
        manifest, tokenizer = await self._infer("encoder_info", [], ("manifest", "tokenizer"), {}, deadline_s)
        try:
            return EncoderInfo.parse(manifest.item(), tokenizer.item())
        except (ValueError, KeyError, TypeError) as error:
            raise ServerFault(f"{self.url}: encoder_info gave a manifest that cannot be read: {error!r}") from error

    async def check_health(self, timeout_s: float = 2.0) -> dict[str, float]:
        """Embeds a short text on each lane, ahead of all that waits there.

        Unlike Triton's readiness it fails when the encoder, a lane, or one of their processes is dead or hangs.

        Returns:
            The milliseconds that each lane took, by model name.

        Raises:
            Unavailable, DeadlineExceeded, ServerFault: a lane did not give a vector within ``timeout_s``.
        """
        took = await _all_or_first_error([self._probe(lane, timeout_s) for lane in _LANES.values()])
        return dict(zip(_LANES.values(), took, strict=True))

    async def _probe(self, lane: str, timeout_s: float) -> float:
        start = time.monotonic()
        try:
            await self._send(lane, [_text_input(["health"])], ("tokens",), {"probe": True}, start + timeout_s)
        except InferenceServerException as error:
            raise translate(error, f"{self.url} {lane}") from error
        return (time.monotonic() - start) * 1e3

    async def _embed_request(
        self, texts: Sequence[str], first_text: int, role: Role, truncate: Truncate, deadline_s: float
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        async with _slot(self._slots[role], deadline_s):
            text_input = _text_input(texts, first_text)
            vectors, tokens, dropped = await self._infer(
                _LANES[role], [text_input], _OUTPUTS, {"truncate": truncate}, deadline_s, first_text
            )
        return vectors, tokens[:, 0], dropped[:, 0]

    async def _infer(
        self,
        model: str,
        inputs: list[InferInput],
        outputs: tuple[str, ...],
        parameters: dict[str, Any],
        deadline_s: float,
        first_text: int = 0,
    ) -> list[NDArray[Any]]:
        """One request, sent again while that may help. Returns ``outputs`` in order."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._send(model, inputs, outputs, parameters, deadline_s)
            except InferenceServerException as error:
                failure: RetritonError = translate(error, self.url, first_text)
                failure.__cause__ = error
            pause_s = self._retry.delay_s(attempt)
            if not failure.retryable or attempt >= self._retry.attempts_max:
                raise failure
            if time.monotonic() + pause_s >= deadline_s:
                raise DeadlineExceeded(f"no time is left after {attempt} attempts: {failure}") from failure
            await asyncio.sleep(pause_s)

    async def _send(
        self,
        model: str,
        inputs: list[InferInput],
        outputs: tuple[str, ...],
        parameters: dict[str, Any],
        deadline_s: float,
    ) -> list[NDArray[Any]]:
        if self._connection is None:
            # A proxy of the environment is for the web, not for a server that was named by its address.
            self._connection = InferenceServerClient(self.url, channel_args=[("grpc.enable_http_proxy", 0)])
        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            raise DeadlineExceeded("the time was over before the request was sent")
        result = await self._connection.infer(
            model,
            inputs,
            outputs=[InferRequestedOutput(name) for name in outputs],
            client_timeout=left_s,
            timeout=int(left_s * 1e6),  # the server drops what nobody can still receive
            parameters=parameters,
        )
        columns = [result.as_numpy(name) for name in outputs]
        if any(column is None for column in columns):
            raise ServerFault(f"{self.url}: {model} did not give the outputs {', '.join(outputs)}")
        return columns


def _text_input(texts: Sequence[str], first_text: int = 0) -> InferInput:
    column = np.array([[_utf8(text, first_text + place)] for place, text in enumerate(texts)], np.object_)
    return InferInput("text", list(column.shape), "BYTES").set_data_from_numpy(column)


def _utf8(text: str, index: int) -> bytes:
    try:
        return text.encode("utf-8")
    except (AttributeError, UnicodeEncodeError) as error:
        raise InvalidRequest(f"text {index} is not a string of Unicode characters: {error}") from None


@asynccontextmanager
async def _slot(slots: asyncio.Semaphore, deadline_s: float) -> AsyncIterator[None]:
    """A slot, if one gets free before the deadline."""
    try:
        async with asyncio.timeout(deadline_s - time.monotonic()):
            await slots.acquire()
    except TimeoutError:
        raise DeadlineExceeded("the time was over while other requests of this client were under way") from None
    try:
        yield
    finally:
        slots.release()


async def _all_or_first_error(requests: Sequence[Any]) -> list[Any]:
    """The results in order; the first error cancels what is still under way."""
    tasks = [asyncio.ensure_future(request) for request in requests]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
