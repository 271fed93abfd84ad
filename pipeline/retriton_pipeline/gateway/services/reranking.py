"""Scores of passages by the served cross-encoder, as logits and as probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retriton_client import NotInstalled, Truncate
from retriton_pipeline.gateway.fairness import current_caller
from retriton_pipeline.gateway.services.fields import Fields, named
from retriton_pipeline.gateway.services.models import model_ids, served_name, unknown_model
from retriton_pipeline.gateway.services.upstream import Upstream
from retriton_pipeline.gateway.settings import Settings

_FIELDS = Fields()  # of Elasticsearch
_PROBABILITY_MAX = 1.0 - 2.0**-24  # the largest float32 below one, so that its logit is finite


@dataclass(frozen=True)
class RankedPassages:
    """Scores in the order of the passages.

    Attributes:
        logits: float32 ``[passages]``, values of the last layer.
        probabilities: float32 ``[passages]``.
        tokens: number of tokens of all pairs.
        model: the cross-encoder's name.
    """

    logits: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    tokens: int
    model: str

    def scores(self, raw: bool) -> NDArray[np.float32]:
        """Logits if ``raw``, else probabilities."""
        return self.logits if raw else self.probabilities


class Reranking:
    """Ranks passages with the served cross-encoder.

    Args:
        upstream: the server.
        settings: of the gateway.
    """

    def __init__(self, upstream: Upstream, settings: Settings) -> None:
        self._upstream = upstream
        self._settings = settings

    async def rank(
        self,
        query: str,
        passages: Sequence[str],
        truncate: Truncate | None,
        model: str | None = None,
        fields: Fields = _FIELDS,
    ) -> RankedPassages:
        """The scores of ``passages``.

        Args:
            query: what they are ranked for.
            passages: texts.
            truncate: of pairs that are too long; None is the gateway's default.
            model: the cross-encoder's name. The embedding model's stands for it: clients of NIM, where each service has
                one model, send the first name of ``GET /v1/models``.
            fields: of the request, for errors.

        Raises:
            NotInstalled: there is no cross-encoder.
            ApiError: it has another name than ``model``, or a text is too long.
            RetritonError: see `AsyncClient.rerank`.
        """
        reranker = await self._upstream.reranker()
        if reranker is None:
            raise NotInstalled("no cross-encoder")
        if model and served_name(model, [reranker.name]) != reranker.name:
            encoder = await self._upstream.encoder()
            known = model_ids(encoder, self._settings.aliases)
            if served_name(model, known) not in known:
                raise unknown_model(model, [reranker.name])
        with named(fields):
            found = await self._upstream.client.rerank(
                query, passages, truncate=truncate or self._settings.truncate, caller=current_caller()
            )
        tokens, name = int(found.tokens.sum()), reranker.name
        if reranker.activation == "Sigmoid":
            return RankedPassages(_logits(found.scores), found.scores, tokens, name)
        return RankedPassages(found.scores, _probabilities(found.scores), tokens, name)


def best_first(scores: NDArray[np.float32]) -> list[int]:
    """Indices in descending order of their scores."""
    return [int(index) for index in np.argsort(-scores, kind="stable")]


def _probabilities(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(1.0 / (1.0 + np.exp(-logits)), np.float32)


def _logits(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    bounded = np.clip(probabilities.astype(np.float64), 1.0 - _PROBABILITY_MAX, _PROBABILITY_MAX)
    return np.asarray(np.log(bounded) - np.log1p(-bounded), np.float32)
