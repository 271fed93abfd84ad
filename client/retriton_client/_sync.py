"""The blocking client."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from retriton_client._arguments import as_list, seconds
from retriton_client._async import DEFAULT_TIMEOUT_S, DEFAULT_URL, AsyncClient
from retriton_client._config import Limits, Retry, Tls
from retriton_client._fork import is_forked
from retriton_client._types import Embeddings, EncoderInfo, RerankerInfo, Role, Scores, Truncate
from retriton_client.blocking import run


class Client:
    """A blocking client of one server. Thread-safe. No call takes longer than its timeout and a second.

    Iterators are read in the calling thread. A pickled or copied client has the settings, and a connection of its own.

    Args:
        url, timeout_s, limits, retry, tls: see `AsyncClient`.
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
        self._client = AsyncClient(url, timeout_s=timeout_s, limits=limits, retry=retry, tls=tls)
        self.url = self._client.url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection; does nothing in a forked process, whose connection is its parent's."""
        if not is_forked():
            run(self._client.close(), self._client.timeout_s)

    def embed_queries(self, texts: Iterable[str], *, truncate: Truncate | None = "NONE") -> NDArray[np.float32]:
        """Embeds queries as float32 ``[texts, dimension]``.

        See `AsyncClient.embed_queries` for arguments and errors.
        """
        return self.embed(texts, "query", truncate=truncate).vectors

    def embed_passages(self, texts: Iterable[str], *, truncate: Truncate | None = "NONE") -> NDArray[np.float32]:
        """Embeds passages as float32 ``[texts, dimension]``.

        See `AsyncClient.embed_passages` for arguments and errors.
        """
        return self.embed(texts, "passage", truncate=truncate).vectors

    def embed(
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
        """Embeds texts and returns vectors and token counts. See `AsyncClient.embed` for arguments and errors."""
        timeout_s = self._seconds(timeout_s)
        texts = as_list(texts)
        work = self._client.embed(
            texts,
            role,
            truncate=truncate,
            dimensions=dimensions,
            fingerprint=fingerprint,
            caller=caller,
            timeout_s=timeout_s,
        )
        return run(work, timeout_s)

    def rerank(
        self,
        query: str,
        passages: Iterable[str],
        *,
        truncate: Truncate | None = "NONE",
        caller: str | None = None,
        timeout_s: float | None = None,
    ) -> Scores:
        """Scores each passage against a query. See `AsyncClient.rerank` for arguments and errors."""
        timeout_s = self._seconds(timeout_s)
        passages = as_list(passages, "passages")
        work = self._client.rerank(query, passages, truncate=truncate, caller=caller, timeout_s=timeout_s)
        return run(work, timeout_s)

    def check_health(self, timeout_s: float = 2.0, *, rerank: bool = True, secret: str = "") -> dict[str, float]:
        """Returns the latency of each lane in milliseconds. See `AsyncClient.check_health` for arguments and errors."""
        timeout_s = seconds(timeout_s)
        return run(self._client.check_health(timeout_s, rerank=rerank, secret=secret), timeout_s)

    def device_problems(self) -> str:
        """Returns which devices of the server have failed, empty if all work. See `AsyncClient.device_problems`."""
        return run(self._client.device_problems(), self._client.timeout_s)

    def encoder_info(self) -> EncoderInfo:
        """Returns the description of the served encoder. See `AsyncClient.encoder_info` for errors."""
        return run(self._client.encoder_info(), self._client.timeout_s)

    def reranker_info(self) -> RerankerInfo | None:
        """Returns the description of the served cross-encoder. See `AsyncClient.reranker_info` for errors."""
        return run(self._client.reranker_info(), self._client.timeout_s)

    def _seconds(self, timeout_s: float | None) -> float:
        return self._client.timeout_s if timeout_s is None else seconds(timeout_s)
