"""One request of Triton in a lane: read, tokenized, submitted, and answered."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
from numpy.typing import NDArray

from retriton_serving.batching.request import Request, Vectors
from retriton_serving.batching.tokenization import LaneTokenizer, TokenizedText, Truncate
from retriton_serving.contract.errors import RequestRefused
from retriton_serving.triton.lane_metrics import LaneMetrics
from retriton_serving.triton.responses import error_response, send

_ABANDONED_AFTER_S = 0.5
Outputs = Callable[[Vectors, NDArray[np.int32], NDArray[np.int32]], list[Any]]


class LaneRequest:
    """The reply of a `Request`, and what must be known to send it.

    Args:
        request: of Triton.
        metrics: counts the outcome.
    """

    def __init__(self, request: Any, metrics: LaneMetrics) -> None:
        self._metrics = metrics
        self._sender = request.get_response_sender()
        self._requested_outputs = frozenset(request.requested_output_names())
        self._arrived_s = time.monotonic()
        self._tokenized: list[TokenizedText] = []
        self._outputs: Outputs | None = None
        self.triton = request
        self.deadline_s = self._arrived_s + request.timeout() / 1e6 if request.timeout() else None
        self.parameters: dict[str, Any] = json.loads(request.parameters() or "{}")
        self.texts: list[Any] = []

    @property
    def is_probe(self) -> bool:
        """Whether this is a health probe, which precedes all waiting requests."""
        return bool(self.parameters.get("probe", False))

    def tokenized(self, ids: Sequence[list[int]], tokenizer: LaneTokenizer, outputs: Outputs) -> Request:
        """The request for the batcher.

        Args:
            ids: untruncated token ids of each text.
            tokenizer: truncates them, as the parameters say.
            outputs: makes the output tensors from rows, token counts and dropped token counts.

        Raises:
            RequestRefused: a text does not fit.
        """
        truncate = Truncate.parse(self.parameters.get("truncate", Truncate.NONE))
        self._outputs = outputs
        self._tokenized = [
            tokenizer.fit(text, text_ids, truncate, index)
            for index, (text, text_ids) in enumerate(zip(self.texts, ids, strict=True))
        ]
        urgent = self.is_probe and len(ids) == 1
        return Request([text.ids for text in self._tokenized], self, self.deadline_s, urgent)

    def succeed(self, vectors: Vectors) -> None:
        """Sends the rows and the token counts."""
        assert self._outputs is not None  # noqa: S101 - set by `tokenized`, before anything can succeed
        self._metrics.add("requests_total", 1, "OK")
        self._metrics.observe("request_seconds", time.monotonic() - self._arrived_s)
        tokens = np.array([len(text.ids) for text in self._tokenized], np.int32)
        dropped = np.array([text.dropped for text in self._tokenized], np.int32)
        outputs = self._outputs(vectors, tokens, dropped)
        # Only requested outputs: `send` of Triton before 25.01 frees the others without holding the GIL, which ends the
        # process on Python 3.12 and later (python_backend #390).
        requested = [output for output in outputs if output.name() in self._requested_outputs]
        send(self._sender, pb_utils.InferenceResponse(requested))

    def fail(self, error: RequestRefused) -> None:
        """Sends the error with the fitting status."""
        self._metrics.add("requests_total", 1, error.code)
        send(self._sender, error_response(error))

    def is_abandoned(self) -> bool:
        """Whether the caller cancelled. Asking costs a message between processes, so only after a while."""
        return time.monotonic() - self._arrived_s > _ABANDONED_AFTER_S and bool(self._sender.is_cancelled())
