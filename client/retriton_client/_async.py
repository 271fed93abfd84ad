"""The asynchronous client. `_sync.Client` runs it on a shared event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import InferInput

from retriton_client._arguments import (
    check_role,
    dimensions_parameter,
    encode_query,
    encode_texts,
    plain,
    seconds,
    setting,
    text_parameter,
    truncate_parameter,
)
from retriton_client._call import Call
from retriton_client._config import Limits, Retry, Tls
from retriton_client._connection import Attempts, Connection
from retriton_client._exceptions import (
    DeadlineExceeded,
    InvalidRequest,
    NotInstalled,
    Overloaded,
    RetritonError,
    ServerFault,
)
from retriton_client._replies import check_columns, check_finite, join, length_fault, other_length
from retriton_client._split import Split
from retriton_client._types import Embeddings, EncoderInfo, RerankerInfo, Role, Scores, Truncate
from retriton_client._wire import query_and_passages, text_column
from retriton_serving.contract.models import EMBED_PASSAGE, EMBED_QUERY, ENCODER_INFO, RERANK
from retriton_serving.contract.trust import SECRET

DEFAULT_URL = "127.0.0.1:8001"
DEFAULT_TIMEOUT_S = 60.0
_SCORES = ("score", "tokens", "tokens_dropped")
_OUTPUTS = ("embedding", "tokens", "tokens_dropped")
_LANES: dict[Role, str] = {"query": EMBED_QUERY, "passage": EMBED_PASSAGE}


class AsyncClient:
    """A client of one server, or of replicas of it.

    Use and close it in one event loop; after either is closed, another loop can use it. A pickled or copied client
    has the settings, and a connection of its own.

    Args:
        url: ``host:port`` of the server's gRPC endpoint. With several, separated by commas, each request goes to the
            one with the fewest in flight; one that fails gets none until it is ready again, and what it did not answer
            is sent to another. With ``dns:///host:port``, requests are distributed round-robin over all addresses of
            that name.
        timeout_s: the timeout of one call in seconds, including all its requests and retries; above 0, at most 1e9.
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
        if not isinstance(url, str) or not url:
            raise InvalidRequest(f"url is {url!r:.60}, it can be host:port")
        self.url = plain(url)
        self.timeout_s = seconds(timeout_s)
        self._tls = setting("tls", tls, Tls)
        self._limits = setting("limits", limits, Limits) or Limits()
        self._retry = setting("retry", retry, Retry) or Retry()
        self._connection = Connection(self.url, tls, (*_LANES, RERANK), self._limits.texts_in_flight)
        self._normalized: bool | None = None

    def __reduce__(self) -> tuple[partial[AsyncClient], tuple[()]]:
        cls = type(self)
        return partial(
            cls, self.url, timeout_s=self.timeout_s, limits=self._limits, retry=self._retry, tls=self._tls
        ), ()

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
        """Closes the connection; in a forked process, the connection of its parent stays open."""
        await self._connection.close()

    async def embed_queries(self, texts: Iterable[str], *, truncate: Truncate | None = "NONE") -> NDArray[np.float32]:
        """Embeds queries: float32 ``[texts, dimension]``, in the order of the texts. See `embed` for errors."""
        return (await self.embed(texts, "query", truncate=truncate)).vectors

    async def embed_passages(self, texts: Iterable[str], *, truncate: Truncate | None = "NONE") -> NDArray[np.float32]:
        """Embeds passages: float32 ``[texts, dimension]``, in the order of the texts. See `embed` for errors."""
        return (await self.embed(texts, "passage", truncate=truncate)).vectors

    async def embed(
        self,
        texts: Iterable[str],
        role: Role,
        *,
        truncate: Truncate | None = "NONE",
        dimensions: int | None = None,
        fingerprint: str | None = None,
        caller: str | None = None,
        timeout_s: float | None = None,
    ) -> Embeddings:
        """Embeds ``texts`` and returns their vectors and token counts. Fails as a whole if one request fails.

        Args:
            texts: a list, tuple, iterator, one-dimensional array or Series of at least one text; the server adds the
                prefix of the role.
            role: ``query`` selects the low-latency lane, ``passage`` the throughput lane.
            truncate: handling of texts that are too long: NONE (and None) refuses them, START and END drop tokens
                there.
            dimensions: number of leading values of each vector to return, rescaled to length one; for encoders that
                were trained for it (Matryoshka). None returns all.
            fingerprint: the expected encoder; the server refuses the request if it serves another one. None accepts
                any.
            caller: a name for whom the texts are embedded: the server computes the texts of several callers by turns.
                Those without a name are of one caller.
            timeout_s: timeout of this call in seconds; None uses the client's.

        Raises:
            TextTooLong: a text has too many tokens, and ``truncate`` is NONE.
            WrongEncoder: the server's encoder has another fingerprint.
            InvalidRequest: ``texts`` or one of the texts is empty, or another argument is invalid, or the client is in
                use in another event loop.
            Overloaded, Unavailable: the last retry failed, too.
            DeadlineExceeded: the timeout expired.
            ServerFault: the server returned an unexpected response, for example a vector that is not finite, or whose
                length is not one although the encoder normalises.
            ForkedProcess: a client was used before this process was forked.
        """
        check_role(role)
        parameters = {
            "truncate": truncate_parameter(truncate),
            **dimensions_parameter(dimensions),
            **text_parameter("fingerprint", fingerprint),
            **text_parameter("caller", caller),
        }
        deadline_s = self._deadline_s(timeout_s)
        encoded = encode_texts(texts)
        split = Split.of(encoded, self._limits)
        call = self._call(split)
        requests = [self._embed_request(call, encoded[p], p.start, role, parameters, deadline_s) for p in split.parts]
        return Embeddings(*join(await call.results(requests), self.url))

    async def rerank(
        self,
        query: str,
        passages: Iterable[str],
        *,
        truncate: Truncate | None = "NONE",
        caller: str | None = None,
        timeout_s: float | None = None,
    ) -> Scores:
        """Scores each passage against the query with the server's cross-encoder. Fails as a whole if one request fails.

        Args:
            query: one text.
            passages: the texts to score, at least one; any iterable that `embed` accepts.
            truncate: handling of pairs that are too long: NONE refuses them, START and END drop tokens of the passage
                there.
            caller: as for `embed`.
            timeout_s: timeout of this call in seconds; None uses the client's.

        Raises:
            NotInstalled: the server has no cross-encoder.
            TextTooLong: a pair has too many tokens, and ``truncate`` is NONE; ``index`` is the passage's.
            InvalidRequest, Overloaded, Unavailable, DeadlineExceeded, ServerFault, ForkedProcess: as for `embed`.
        """
        parameters = {"truncate": truncate_parameter(truncate), **text_parameter("caller", caller)}
        deadline_s = self._deadline_s(timeout_s)
        asked, encoded = encode_query(query), encode_texts(passages, "passages")
        split = Split.of(encoded, self._limits, len(asked))
        call = self._call(split)
        requests = [self._rerank_request(call, asked, encoded[p], p.start, parameters, deadline_s) for p in split.parts]
        return Scores(*join(await call.results(requests), self.url))

    async def encoder_info(self) -> EncoderInfo:
        """Returns the description of the served encoder. See `embed` for errors."""
        return await self._encoder_info(self._deadline_s(None))

    async def _encoder_info(self, deadline_s: float) -> EncoderInfo:
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

    async def device_problems(self) -> str:
        """Returns which devices of the server have failed, one model a line; empty if all work. See `embed` for errors.

        A server with several GPUs answers as long as one of them works. For a server before 0.2, which does not tell,
        the answer is empty.
        """
        try:
            (problems,) = await self._infer(ENCODER_INFO, [], ("devices",), {}, self._deadline_s(None))
        except InvalidRequest:
            return ""
        text: bytes = problems.item()
        return text.decode("utf-8")

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
        text_parameter(SECRET, secret)
        timeout_s = seconds(timeout_s)
        probes = [self._probe(lane, [text_column([b"health"])], timeout_s, secret) for lane in _LANES.values()]
        if rerank:
            probes.append(self._probe(RERANK, query_and_passages(b"health", [b"health"]), timeout_s, secret))
        took = await Call(len(probes)).results(probes)
        lanes = [*_LANES.values(), RERANK][: len(probes)]
        return {lane: ms for lane, ms in zip(lanes, took, strict=True) if ms is not None}

    async def _probe(self, lane: str, inputs: list[InferInput], timeout_s: float, secret: str) -> float | None:
        parameters = {"probe": True, **({SECRET: secret} if secret else {})}
        start = time.monotonic()
        try:
            await self._connection.send(lane, inputs, ("tokens",), parameters, start + timeout_s, Attempts())
        except NotInstalled:
            return None
        return (time.monotonic() - start) * 1e3

    def _call(self, split: Split) -> Call:
        """Splits that the size in bytes forced run one by one: several would take the server long to tokenize."""
        return Call((self._limits.requests_per_call or self._limits.requests_in_flight) if split.concurrent else 1)

    def _deadline_s(self, timeout_s: float | None) -> float:
        return time.monotonic() + (self.timeout_s if timeout_s is None else seconds(timeout_s))

    async def _embed_request(
        self,
        call: Call,
        texts: Sequence[bytes],
        first_text: int,
        role: Role,
        parameters: dict[str, Any],
        deadline_s: float,
    ) -> list[NDArray[Any]]:
        async with self._connection.room(role, len(texts), deadline_s):
            inputs = [text_column(texts)]
            columns = await self._infer(_LANES[role], inputs, _OUTPUTS, parameters, deadline_s, first_text, call)
        vectors, *counts = columns
        columns = [vectors, *(count.reshape(-1) for count in counts)]
        check_columns(columns, len(texts), 2, self.url)
        check_finite(vectors, first_text, self.url)
        await self._check_lengths(vectors, first_text, deadline_s)
        return columns

    async def _check_lengths(self, vectors: NDArray[np.float32], first_text: int, deadline_s: float) -> None:
        """Asks whether the encoder normalises only if a length is not one."""
        place = other_length(vectors)
        if place is None:
            return
        if self._normalized is None:
            self._normalized = (await self._encoder_info(deadline_s)).normalized
        if self._normalized:
            raise length_fault(vectors, place, first_text, self.url)

    async def _rerank_request(
        self,
        call: Call,
        query: bytes,
        passages: Sequence[bytes],
        first: int,
        parameters: dict[str, Any],
        deadline_s: float,
    ) -> list[NDArray[Any]]:
        async with self._connection.room(RERANK, len(passages), deadline_s):
            inputs = query_and_passages(query, passages)
            columns = await self._infer(RERANK, inputs, _SCORES, parameters, deadline_s, first, call)
        check_columns(columns, len(passages), 1, self.url)
        check_finite(columns[0], first, self.url)
        return columns

    async def _infer(
        self,
        model: str,
        inputs: list[InferInput],
        outputs: tuple[str, ...],
        parameters: dict[str, Any],
        deadline_s: float,
        first_text: int = 0,
        call: Call | None = None,
    ) -> list[NDArray[Any]]:
        """Sends one request, retries retryable failures, and returns ``outputs`` in order."""
        attempts, call = Attempts(), call or Call(1)
        while True:
            try:
                async with call.sending():
                    return await self._connection.send(
                        model, inputs, outputs, parameters, deadline_s, attempts, first_text
                    )
            except RetritonError as error:
                failure = error
            has_no_room = isinstance(failure, Overloaded) and call.is_taken
            if not failure.retryable or (attempts.number >= self._retry.attempts_max and not has_no_room):
                raise failure
            pause_s = self._connection.pause_s(attempts, self._retry.delay_s(attempts.number))
            if time.monotonic() + pause_s >= deadline_s:
                raise DeadlineExceeded(f"timed out after {attempts.number} attempts: {failure}") from failure
            await asyncio.sleep(pause_s)
