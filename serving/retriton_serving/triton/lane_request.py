"""One request of Triton in a lane: read, tokenized, submitted, and answered."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
from numpy.typing import NDArray

from retriton_serving.batching.request import Request, Vectors
from retriton_serving.batching.tokenization import LaneTokenizer, Truncate
from retriton_serving.batching.word_cache import Ids
from retriton_serving.contract.errors import RequestRefused
from retriton_serving.contract.trust import SECRET, is_trusted
from retriton_serving.triton.lane_metrics import LaneMetrics
from retriton_serving.triton.responses import error_response, send

_ABANDONED_AFTER_S = 0.5
PROBES_MAX = 2  # of callers outside this server that precede other requests at a time
_PROBE_TOKENS_MAX = 16
_NAME_MAX = 128  # characters
Counts = NDArray[np.int32]
Outputs = Callable[[Vectors, Counts, Counts], dict[str, NDArray[Any]]]
_NO_PARAMETERS: Mapping[str, Any] = {}


class ProbeSlots:
    """Limits the health probes that precede other requests. Those of the supervisor, who has the secret, always do.

    Args:
        number: of slots.
    """

    def __init__(self, number: int) -> None:
        self._free = threading.Semaphore(number)

    def take(self, parameters: Mapping[str, Any]) -> Callable[[], None] | None:
        """What gives the slot back, for a request that is a probe and has one; None for any other request."""
        if not parameters.get("probe"):
            return None
        if is_trusted(parameters.get(SECRET)):
            return _nothing
        return self._free.release if self._free.acquire(blocking=False) else None


class LaneRequest:
    """The reply of a `Request`, and what must be known to send it.

    Args:
        request: of Triton.
        metrics: counts the outcome.
        probes: limits what is urgent.

    Attributes:
        triton: the request of Triton.
        parameters: of the request.
        deadline_s: until when the outcome is useful, on ``time.monotonic``; None is always.
        caller: the name that the request gives its caller, or an empty one.
        raw: the texts as their bytes, set when they are read.
        texts: set by `decode`.
        truncate, options: the parameters of that meaning, set when they are read.
        size_bytes, longest_bytes: of all texts, and of the longest, set by `measure`.
    """

    def __init__(self, request: Any, metrics: LaneMetrics, probes: ProbeSlots) -> None:
        self._metrics = metrics
        self._sender = request.get_response_sender()
        self._requested_outputs = request.requested_output_names()
        self._arrived_s = time.monotonic()
        self._tokens = self._dropped = np.zeros(0, np.int32)
        self._outputs: Outputs = _no_outputs
        self.triton = request
        timeout_us = request.timeout()
        self.deadline_s = self._arrived_s + timeout_us / 1e6 if timeout_us else None
        parameters = request.parameters()
        self.parameters: Mapping[str, Any] = json.loads(parameters) if parameters else _NO_PARAMETERS
        self.caller = str(self.parameters.get("caller", ""))[:_NAME_MAX]
        self.raw: Sequence[Any] = ()
        self.texts: Sequence[Any] = ()
        self.truncate = Truncate.NONE
        self.options: Any = None
        self.size_bytes = self.longest_bytes = 0
        self._give_back = probes.take(self.parameters)

    @property
    def is_urgent(self) -> bool:
        """Whether this is a health probe that precedes all waiting requests."""
        return self._give_back is not None

    def measure(self, raw_bytes: Callable[[Sequence[Any]], list[int]]) -> None:
        """Sets the sizes; ``raw_bytes`` gives that of each text."""
        sizes = raw_bytes(self.raw)
        self.size_bytes, self.longest_bytes = sum(sizes), max(sizes, default=0)

    def decode(self, decode: Callable[[Sequence[Any]], list[Any]]) -> None:
        """Sets the texts; ``decode`` makes them of their bytes. Only after `measure`: large texts take milliseconds."""
        self.texts = decode(self.raw)
        self.raw = ()

    def is_expired(self) -> bool:
        """Whether the deadline passed."""
        return self.deadline_s is not None and time.monotonic() > self.deadline_s

    def tokenized(self, ids: Sequence[Ids], tokenizer: LaneTokenizer, outputs: Outputs) -> Request:
        """The request for the batcher.

        Args:
            ids: untruncated token ids of each text.
            tokenizer: truncates them, as the parameters say.
            outputs: makes the output tensors from rows, token counts and dropped token counts.

        Raises:
            RequestRefused: a text does not fit.
        """
        self._outputs = outputs
        self._tokens = np.fromiter(map(len, ids), np.int32, len(ids))
        self._dropped = np.zeros(len(ids), np.int32)
        if self._tokens.max() > tokenizer.max_tokens:
            ids = self._fit(ids, tokenizer)
        urgent = self.is_urgent and len(ids) == 1 and len(ids[0]) <= _PROBE_TOKENS_MAX
        return Request(ids, self, self.deadline_s, urgent, self.caller)

    def succeed(self, vectors: Vectors) -> None:
        """Sends the rows and the token counts."""
        self._end()
        self._metrics.answered(time.monotonic() - self._arrived_s)
        outputs = self._outputs(vectors, self._tokens, self._dropped)
        # Only requested outputs: `send` of Triton before 25.01 frees the others without holding the GIL, which ends the
        # process on Python 3.12 and later (python_backend #390).
        requested = [pb_utils.Tensor(name, outputs[name]) for name in self._requested_outputs]
        send(self._sender, pb_utils.InferenceResponse(requested))

    def fail(self, error: RequestRefused) -> None:
        """Sends the error with the fitting status."""
        self._end()
        self._metrics.add("requests_total", 1, error.code)
        send(self._sender, error_response(error))

    def is_abandoned(self) -> bool:
        """Whether the caller cancelled. Asking costs a message between processes, so only after a while."""
        return time.monotonic() - self._arrived_s > _ABANDONED_AFTER_S and bool(self._sender.is_cancelled())

    def _fit(self, ids: Sequence[Ids], tokenizer: LaneTokenizer) -> list[Ids]:
        """Truncates every text that is too long, or raises `RequestRefused`."""
        fitted = []
        for index, (text, text_ids) in enumerate(zip(self.texts, ids, strict=True)):
            kept, self._dropped[index] = tokenizer.fit(text, text_ids, self.truncate, index)
            self._tokens[index] = len(kept)
            fitted.append(kept)
        return fitted

    def _end(self) -> None:
        if self._give_back:
            self._give_back()


def _no_outputs(rows: Vectors, tokens: Counts, dropped: Counts) -> dict[str, NDArray[Any]]:
    raise RuntimeError("a request was answered before it was tokenized")


def _nothing() -> None:
    """The supervisor's probes take no slot."""
