"""The blocking client."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from retriton_client._async import DEFAULT_TIMEOUT_S, DEFAULT_URL, AsyncClient
from retriton_client._config import Limits, Retry, Tls
from retriton_client._types import Embeddings, EncoderInfo, RerankerInfo, Role, Scores, Truncate
from retriton_client.blocking import run


class Client:
    """A blocking client of one server. Thread-safe.

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
        self.url = url
        self._client = AsyncClient(url, timeout_s=timeout_s, limits=limits, retry=retry, tls=tls)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        run(self._client.close())

    def embed_queries(self, texts: Sequence[str], *, truncate: Truncate = "NONE") -> NDArray[np.float32]:
        """Embeds queries as float32 ``[texts, dimension]``.

        See `AsyncClient.embed_queries` for arguments and errors.
        """
        return run(self._client.embed_queries(texts, truncate=truncate))

    def embed_passages(self, texts: Sequence[str], *, truncate: Truncate = "NONE") -> NDArray[np.float32]:
        """Embeds passages as float32 ``[texts, dimension]``.

        See `AsyncClient.embed_passages` for arguments and errors.
        """
        return run(self._client.embed_passages(texts, truncate=truncate))

    def embed(
        self,
        texts: Sequence[str],
        role: Role,
        *,
        truncate: Truncate = "NONE",
        dimensions: int | None = None,
        fingerprint: str | None = None,
        timeout_s: float | None = None,
    ) -> Embeddings:
        """Embeds texts and returns vectors and token counts. See `AsyncClient.embed` for arguments and errors."""
        return run(
            self._client.embed(
                texts, role, truncate=truncate, dimensions=dimensions, fingerprint=fingerprint, timeout_s=timeout_s
            )
        )

    def rerank(
        self,
        query: str,
        passages: Sequence[str],
        *,
        truncate: Truncate = "NONE",
        timeout_s: float | None = None,
    ) -> Scores:
        """Scores each passage against a query. See `AsyncClient.rerank` for arguments and errors."""
        return run(self._client.rerank(query, passages, truncate=truncate, timeout_s=timeout_s))

    def check_health(self, timeout_s: float = 2.0, *, rerank: bool = True, secret: str = "") -> dict[str, float]:
        """Returns the latency of each lane in milliseconds. See `AsyncClient.check_health` for arguments and errors."""
        return run(self._client.check_health(timeout_s, rerank=rerank, secret=secret))

    def encoder_info(self) -> EncoderInfo:
        """Returns the description of the served encoder. See `AsyncClient.encoder_info` for errors."""
        return run(self._client.encoder_info())

    def reranker_info(self) -> RerankerInfo | None:
        """Returns the description of the served cross-encoder. See `AsyncClient.reranker_info` for errors."""
        return run(self._client.reranker_info())
