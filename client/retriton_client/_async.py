"""The asynchronous client. `_sync.Client` runs it on a shared event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import InferInput, InferRequestedOutput
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from retriton_client._config import Limits, Retry, Tls
from retriton_client._exceptions import (
    DeadlineExceeded,
    InvalidRequest,
    NotInstalled,
    RetritonError,
    ServerFault,
    translate,
)
from retriton_client._split import Split
from retriton_client._tasks import all_or_first_error, slot
from retriton_client._types import Embeddings, EncoderInfo, RerankerInfo, Role, Scores, Truncate
from retriton_client._wire import connect, query_and_passages, text_column
from retriton_serving.contract.models import EMBED_PASSAGE, EMBED_QUERY, ENCODER_INFO, RERANK
from retriton_serving.contract.trust import SECRET

DEFAULT_URL = "127.0.0.1:8001"
DEFAULT_TIMEOUT_S = 60.0
_SCORES = ("score", "tokens", "tokens_dropped")
_OUTPUTS = ("embedding", "tokens", "tokens_dropped")
_LANES: dict[Role, str] = {"query": EMBED_QUERY, "passage": EMBED_PASSAGE}


class AsyncClient:
    """A client of one server. Use and close it in one event loop.

    Args:
        url: ``host:port`` of the server's gRPC endpoint; with ``dns:///host:port``, requests are distributed
            round-robin over all addresses of that name.
        timeout_s: the timeout of one call in seconds, including all its requests and retries.
        limits: request size and concurrency.
        retry: number of attempts and delays between them.
        tls: TLS settings; None for an unencrypted connection.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        limits: Limits | None = None,
        retry: Retry | None = None,
        tls: Tls | None = None,
    ) -> None:
        self.url = url
        self._tls = tls
        self._timeout_s = timeout_s
        self._limits = limits or Limits()
        self._retry = retry or Retry()
        self._connection: InferenceServerClient | None = None
        self._slots: dict[str, asyncio.Semaphore] = {
            role: asyncio.Semaphore(self._limits.requests_in_flight) for role in (*_LANES, RERANK)
        }

    def with_settings(self, *, timeout_s: float, retry: Retry) -> AsyncClient:
        """Another client of the same server, with its own connection, deadline and retries."""
        return AsyncClient(self.url, timeout_s=timeout_s, limits=self._limits, retry=retry, tls=self._tls)

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
        """Embeds queries: float32 ``[texts, dimension]``, in the order of the texts. See `embed` for errors."""
        return (await self.embed(texts, "query", truncate=truncate)).vectors

    async def embed_passages(self, texts: Sequence[str], *, truncate: Truncate = "NONE") -> NDArray[np.float32]:
        """Embeds passages: float32 ``[texts, dimension]``, in the order of the texts. See `embed` for errors."""
        return (await self.embed(texts, "passage", truncate=truncate)).vectors

    async def embed(
        self,
        texts: Sequence[str],
        role: Role,
        *,
        truncate: Truncate = "NONE",
        dimensions: int | None = None,
        fingerprint: str | None = None,
        timeout_s: float | None = None,
    ) -> Embeddings:
        """Embeds ``texts`` and returns their vectors and token counts. Fails as a whole if one request fails.

        Args:
            texts: at least one text; the server adds the prefix of the role.
            role: ``query`` selects the low-latency lane, ``passage`` the throughput lane.
            truncate: handling of texts that are too long: NONE refuses them, START and END drop tokens there.
            dimensions: number of leading values of each vector to return, rescaled to length one; for encoders that
                were trained for it (Matryoshka). None returns all.
            fingerprint: the expected encoder; the server refuses the request if it serves another one. None accepts
                any.
            timeout_s: timeout of this call in seconds; None uses the client's.

        Raises:
            TextTooLong: a text has too many tokens, and ``truncate`` is NONE.
            WrongEncoder: the server's encoder has another fingerprint.
            InvalidRequest: ``texts`` or one of the texts is empty, or another argument is invalid.
            Overloaded, Unavailable: the last retry failed, too.
            DeadlineExceeded: the timeout expired.
            ServerFault: the server returned an unexpected response.
        """
        if isinstance(texts, str) or not texts:
            raise InvalidRequest(f"texts is a list of at least one string, not {texts!r:.60}")
        parameters: dict[str, Any] = {"truncate": truncate}
        if dimensions is not None:
            parameters["dimensions"] = dimensions
        if fingerprint is not None:
            parameters["fingerprint"] = fingerprint
        deadline_s = self._deadline_s(timeout_s)
        split = Split.of(texts, self._limits)
        requests = [self._embed_request(texts[part], part.start, role, parameters, deadline_s) for part in split.parts]
        return Embeddings(*_join(await all_or_first_error(requests, split.concurrent)))

    async def rerank(
        self,
        query: str,
        passages: Sequence[str],
        *,
        truncate: Truncate = "NONE",
        timeout_s: float | None = None,
    ) -> Scores:
        """Scores each passage against the query with the server's cross-encoder. Fails as a whole if one request fails.

        Args:
            query: one text.
            passages: the texts to score, at least one.
            truncate: handling of pairs that are too long: NONE refuses them, START and END drop tokens of the passage
                there.
            timeout_s: timeout of this call in seconds; None uses the client's.

        Raises:
            NotInstalled: the server has no cross-encoder.
            TextTooLong: a pair has too many tokens, and ``truncate`` is NONE; ``index`` is the passage's.
            InvalidRequest, Overloaded, Unavailable, DeadlineExceeded, ServerFault: as for `embed`.
        """
        if isinstance(passages, str) or not passages:
            raise InvalidRequest(f"passages is a list of at least one string, not {passages!r:.60}")
        deadline_s = self._deadline_s(timeout_s)
        split = Split.of(passages, self._limits, len(query))
        requests = [
            self._rerank_request(query, passages[part], part.start, truncate, deadline_s) for part in split.parts
        ]
        return Scores(*_join(await all_or_first_error(requests, split.concurrent)))

    async def encoder_info(self) -> EncoderInfo:
        """Returns the description of the served encoder. See `embed` for errors."""
        deadline_s = self._deadline_s(None)
        manifest, tokenizer = await self._infer(ENCODER_INFO, [], ("manifest", "tokenizer"), {}, deadline_s)
        try:
            return EncoderInfo.parse(manifest.item(), tokenizer.item())
        except (ValueError, KeyError, TypeError) as error:
            raise ServerFault(f"{self.url}: cannot read the manifest of the encoder: {error!r}") from error

    async def reranker_info(self) -> RerankerInfo | None:
        """Returns the description of the served cross-encoder, or None without one. See `embed` for errors."""
        (manifest,) = await self._infer(ENCODER_INFO, [], ("cross_encoder",), {}, self._deadline_s(None))
        try:
            return RerankerInfo.parse(manifest.item())
        except (ValueError, KeyError, TypeError) as error:
            raise ServerFault(f"{self.url}: cannot read the manifest of the cross-encoder: {error!r}") from error

    async def check_health(self, timeout_s: float = 2.0, *, rerank: bool = True, secret: str = "") -> dict[str, float]:
        """Sends a short text through each lane, ahead of queued requests.

        Unlike Triton's readiness check, this fails if the encoder, a lane or one of their processes is dead or hangs.

        Args:
            timeout_s: timeout of each lane in seconds.
            rerank: whether the lane ``rerank`` is checked; without a cross-encoder its process does nothing.
            secret: of the server's start, which its supervisor has. The server puts at most two probes without it ahead
                of queued requests at a time; others wait, and may be refused, like any request.

        Returns:
            The latency of each lane in milliseconds, by model name; without ``rerank`` if no cross-encoder is
            installed.

        Raises:
            Unavailable, DeadlineExceeded, ServerFault: a lane did not respond within ``timeout_s``.
        """
        probes = [self._probe(lane, [text_column(["health"])], timeout_s, secret) for lane in _LANES.values()]
        if rerank:
            probes.append(self._probe(RERANK, query_and_passages("health", ["health"]), timeout_s, secret))
        took = await all_or_first_error(probes)
        lanes = [*_LANES.values(), RERANK][: len(probes)]
        return {lane: ms for lane, ms in zip(lanes, took, strict=True) if ms is not None}

    async def _probe(self, lane: str, inputs: list[InferInput], timeout_s: float, secret: str) -> float | None:
        parameters = {"probe": True, **({SECRET: secret} if secret else {})}
        start = time.monotonic()
        try:
            await self._send(lane, inputs, ("tokens",), parameters, start + timeout_s)
        except InferenceServerException as error:
            failure = translate(error, f"{self.url} {lane}")
            if isinstance(failure, NotInstalled):
                return None
            raise failure from error
        return (time.monotonic() - start) * 1e3

    def _deadline_s(self, timeout_s: float | None) -> float:
        return time.monotonic() + (self._timeout_s if timeout_s is None else timeout_s)

    async def _embed_request(
        self, texts: Sequence[str], first_text: int, role: Role, parameters: dict[str, Any], deadline_s: float
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        async with slot(self._slots[role], deadline_s):
            inputs = [text_column(texts, first_text)]
            vectors, tokens, dropped = await self._infer(
                _LANES[role], inputs, _OUTPUTS, parameters, deadline_s, first_text
            )
        return vectors, tokens[:, 0], dropped[:, 0]

    async def _rerank_request(
        self, query: str, passages: Sequence[str], first: int, truncate: Truncate, deadline_s: float
    ) -> list[NDArray[Any]]:
        async with slot(self._slots[RERANK], deadline_s):
            inputs = query_and_passages(query, passages, first)
            parameters = {"truncate": truncate}
            return await self._infer(RERANK, inputs, _SCORES, parameters, deadline_s, first)

    async def _infer(
        self,
        model: str,
        inputs: list[InferInput],
        outputs: tuple[str, ...],
        parameters: dict[str, Any],
        deadline_s: float,
        first_text: int = 0,
    ) -> list[NDArray[Any]]:
        """Sends one request, retries retryable failures, and returns ``outputs`` in order."""
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
                raise DeadlineExceeded(f"timed out after {attempt} attempts: {failure}") from failure
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
            self._connection = connect(self.url, self._tls)
        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            raise DeadlineExceeded("timed out before the request was sent")
        result = await self._connection.infer(
            model,
            inputs,
            outputs=[InferRequestedOutput(name) for name in outputs],
            client_timeout=left_s,
            timeout=int(left_s * 1e6),  # the server drops expired requests
            parameters=parameters,
        )
        columns = [result.as_numpy(name) for name in outputs]
        if any(column is None for column in columns):
            raise ServerFault(f"{self.url}: {model} did not return the outputs {', '.join(outputs)}")
        return columns


def _join(parts: Sequence[Sequence[NDArray[Any]]]) -> list[NDArray[Any]]:
    """Concatenates each column over the responses."""
    return [np.concatenate(columns) for columns in zip(*parts, strict=True)]
