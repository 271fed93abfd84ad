"""What the supervisor asks of a server: that every model that matters answers, and that the answers are right."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from retriton_client import Client, Retry, ServerFault, Tls
from retriton_serving.contract.manifest import GoldenOutput, Manifest
from retriton_serving.contract.models import EMBED_PASSAGE, EMBED_QUERY

TIMEOUT_S = 3.0
log = logging.getLogger("retriton.serve")


class WrongOutput(ServerFault):
    """A served model computes something else than at its export."""


class Probe:
    """Probes one server. Use it as a context manager.

    Args:
        url: ``host:port`` of gRPC.
        models: manifests of what it serves, the encoder first.
        tls: how it encrypts.
        secret: of its start, which puts probes ahead of queued requests.
    """

    def __init__(self, url: str, models: Sequence[Manifest], tls: Tls | None = None, secret: str = "") -> None:
        self._secret = secret
        self._client = Client(url, tls=tls, timeout_s=TIMEOUT_S, retry=Retry(attempts_max=1))
        self._reranks = len(models) > 1
        self._problems = ""
        self._golden = [output for model in models for output in model.golden]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def check(self) -> None:
        """Checks that the lanes, what they call, and `encoder_info` answer; `rerank` only with a cross-encoder.

        Devices that have failed while others work are logged once, and are no error: the server answers.

        Raises:
            RetritonError: one does not.
        """
        self._client.check_health(TIMEOUT_S, rerank=self._reranks, secret=self._secret)
        problems = self._client.device_problems()
        if problems != self._problems:
            self._problems = problems
            log.error("%s", problems)

    def compare(self, cached: bool = True) -> None:
        """Compares outputs with those of the manifests; does nothing for manifests that have none.

        Args:
            cached: whether to compare the lane of queries too, which may answer from its cache.

        Raises:
            WrongOutput: an output differs.
            RetritonError: there was no answer, for example because the server is busy; this says nothing about it.
        """
        for golden in self._golden:
            if not cached and golden.lane == EMBED_QUERY:
                continue
            if difference := golden.difference(self._output(golden)):
                raise WrongOutput(
                    f"{golden.lane} computes a wrong result for {golden.texts}: {difference}. Its files or the memory "
                    "of this machine are damaged, or the engine does not run correctly here: run `retriton export`"
                )

    def _output(self, golden: GoldenOutput) -> list[float]:
        *query, text = golden.texts
        if query:
            scores: list[float] = self._client.rerank(query[0], [text], truncate="END").scores.tolist()
            return scores
        embed = self._client.embed_passages if golden.lane == EMBED_PASSAGE else self._client.embed_queries
        vector: list[float] = embed([text], truncate="END")[0].tolist()
        return vector
