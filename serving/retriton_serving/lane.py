"""The Triton model behind `embed_query` and `embed_passage`: requests of Triton to and from the micro-batcher.

`execute` returns before its requests are answered. Triton's dynamic batcher therefore only merges what arrives while
a batch is tokenized, and the one queue that grows under load is ours: bounded, by tokens, with deadlines.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from retriton_serving import draining, workers
from retriton_serving.batcher import LaneLimits, MicroBatcher
from retriton_serving.cache import VectorCache
from retriton_serving.errors import EncoderUnavailable, Fault, RequestRefused
from retriton_serving.manifest import TOKENIZER_FILE, Manifest
from retriton_serving.metrics import LaneMetrics
from retriton_serving.padding import Padding, TokenIds
from retriton_serving.request import Request, Vectors
from retriton_serving.tokenization import RoleTokenizer, TokenizedText, Truncate, decode_text
from retriton_serving.waiting import BatchLimits

ENCODER = "encoder"
_ABANDONED_AFTER_S = 0.5
_GATHER_S = 0.005  # while the encoder has enough to do; meanwhile Triton's batcher merges what arrives
# Handing a few short texts to a pool of threads costs more than tokenizing them, and takes cores from the encoder.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true" if len(os.sched_getaffinity(0)) >= 8 else "false")
QUERY_CACHE_VARIABLE = "RETRITON_QUERY_CACHE_MB"
_STATUS = {Fault.CALLER: "INVALID_ARG", Fault.RETRYABLE: "UNAVAILABLE", Fault.CANCELLED: "CANCELLED"}


class TritonPythonModel:
    """One lane; its role and limits are the parameters in its ``config.pbtxt``."""

    def initialize(self, args: dict[str, str]) -> None:
        """Reads the manifest of the encoder beside this model, and starts the workers."""
        parameters = {
            key: value["string_value"] for key, value in json.loads(args["model_config"])["parameters"].items()
        }
        folder = Path(args["model_repository"]).parent / ENCODER / "1"
        spec = Manifest.read(folder).encoder
        self._tokenizer = RoleTokenizer(
            folder / TOKENIZER_FILE, spec.prompts.get(parameters["role"], ""), spec.max_tokens
        )
        limits = LaneLimits(
            batch=BatchLimits(
                tokens_max=int(parameters["batch_tokens_max"]),
                texts_max=int(parameters["batch_texts_max"]),
                padding_share_max=float(parameters["padding_share_max"]),
                padding_free_tokens=int(parameters["padding_free_tokens"]),
            ),
            waiting_seconds_max=float(parameters["waiting_seconds_max"]),
            waiting_tokens_min=int(parameters["waiting_tokens_min"]),
            in_flight_max=_in_flight(parameters["in_flight_max"]),
        )
        workers.end_process_with_any()
        cache = _cache(parameters)
        self._metrics = LaneMetrics(
            args["model_name"],
            gauges={"waiting_tokens": lambda: self._batcher.waiting_tokens},
            totals={"cache_lookups_total": lambda: cache.lookups, "cache_hits_total": lambda: cache.hits}
            if cache
            else {},
        )
        encoder, padding = Encoder(args["model_name"]), Padding(spec.pad_token_id, spec.max_tokens)
        self._batcher = MicroBatcher(encoder, limits, padding, self._metrics.record, cache)
        draining.obey(args["model_name"], self._batcher.close)

    def execute(self, requests: list[Any]) -> None:
        """Tokenizes all texts of all requests at once, and hands each request over."""
        self._batcher.gather(_GATHER_S)
        start = time.perf_counter()
        arrivals = [_Arrival(request, self._metrics, self._batcher) for request in requests]
        tokens = iter(self._tokenizer.tokenize([text for arrival in arrivals for text in arrival.texts]))
        self._metrics.observe("tokenize_seconds", time.perf_counter() - start)
        for arrival in arrivals:
            arrival.admit(tokens, self._tokenizer)

    def finalize(self) -> None:
        """Answers what was admitted."""
        self._batcher.close()
        self._metrics.close()


def _cache(parameters: dict[str, str]) -> VectorCache | None:
    megabytes = float(parameters["cache_mb"])
    if parameters["role"] == "query":
        megabytes = float(os.environ.get(QUERY_CACHE_VARIABLE, megabytes))
    return VectorCache(int(megabytes * 1e6)) if megabytes else None


def _in_flight(value: str) -> int:
    """The parameter ``in_flight_max``: a number, or ``cores+N`` of the cores that this process may use."""
    if not value.startswith("cores"):
        return int(value)
    return len(os.sched_getaffinity(0)) + int(value.removeprefix("cores") or 0)


class _Arrival:
    """A request of Triton on its way in, and the reply on its way out."""

    def __init__(self, request: Any, metrics: LaneMetrics, batcher: MicroBatcher) -> None:
        self._metrics = metrics
        self._batcher = batcher
        self._sender = request.get_response_sender()
        self._arrived_s = time.monotonic()
        self._tokenized: list[TokenizedText] = []
        self._deadline_s = self._arrived_s + request.timeout() / 1e6 if request.timeout() else None
        self.texts: list[str] = []
        try:
            parameters = json.loads(request.parameters() or "{}")
            self._truncate = Truncate.parse(parameters.get("truncate", Truncate.NONE))
            self._urgent = bool(parameters.get("probe", False))
            batcher.check_room(self._deadline_s, self._urgent)  # tokenizing what is refused would cost goodput
            raw = pb_utils.get_input_tensor_by_name(request, "text").as_numpy().reshape(-1)
            self.texts = [decode_text(item, index) for index, item in enumerate(raw)]
        except RequestRefused as error:
            self.fail(error)

    def admit(self, tokens: Iterator[list[int]], tokenizer: RoleTokenizer) -> None:
        """Takes the ids of its texts from ``tokens``, which runs over all requests of the batch."""
        ids = [next(tokens) for _ in self.texts]
        if not ids:
            return
        try:
            self._tokenized = [
                tokenizer.fit(text, text_ids, self._truncate, index)
                for index, (text, text_ids) in enumerate(zip(self.texts, ids, strict=True))
            ]
            ids = [text.ids for text in self._tokenized]
            self._batcher.submit(Request(ids, self, self._deadline_s, urgent=self._urgent and len(ids) == 1))
        except RequestRefused as error:
            self.fail(error)

    def succeed(self, vectors: Vectors) -> None:
        """Sends the vectors and the token counts."""
        self._metrics.add("requests_total", 1, "OK")
        self._metrics.observe("request_seconds", time.monotonic() - self._arrived_s)
        counts = np.array([[len(text.ids), text.dropped] for text in self._tokenized], np.int32)
        self._send(
            pb_utils.InferenceResponse(
                [
                    pb_utils.Tensor("embedding", vectors),
                    pb_utils.Tensor("tokens", counts[:, :1].copy()),
                    pb_utils.Tensor("tokens_dropped", counts[:, 1:].copy()),
                ]
            )
        )

    def fail(self, error: RequestRefused) -> None:
        """Sends the error with the status of Triton that fits."""
        self._metrics.add("requests_total", 1, error.code)
        status = getattr(pb_utils.TritonError, _STATUS[error.fault])  # the stub adds TritonError after this import
        self._send(pb_utils.InferenceResponse(error=pb_utils.TritonError(str(error), status)))

    def is_abandoned(self) -> bool:
        """Whether the caller cancelled; asking costs a message between processes, so only after a while."""
        return time.monotonic() - self._arrived_s > _ABANDONED_AFTER_S and bool(self._sender.is_cancelled())

    def _send(self, response: Any) -> None:
        try:
            self._sender.send(response, flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
        except pb_utils.TritonModelException as error:
            pb_utils.Logger.log_warn(f"a response could not be delivered: {error}")


class Encoder:
    """The encoder model, whichever backend runs it.

    Args:
        lane: who asks; the encoder computes queries first, where it can.
    """

    def __init__(self, lane: str) -> None:
        self._parameters = {"lane": lane}

    def __call__(self, ids: TokenIds, mask: TokenIds) -> Vectors:
        """One micro-batch."""
        request = pb_utils.InferenceRequest(
            model_name=ENCODER,
            requested_output_names=["sentence_embedding"],
            inputs=[pb_utils.Tensor("input_ids", ids), pb_utils.Tensor("attention_mask", mask)],
            parameters=self._parameters,
        )
        try:
            response = request.exec()
        except pb_utils.TritonModelException as error:
            raise EncoderUnavailable(f"the encoder could not be asked: {error}. Try again later.") from error
        if response.has_error():
            raise EncoderUnavailable(f"the encoder failed: {response.error().message()}. Try again later.")
        vectors: Vectors = pb_utils.get_output_tensor_by_name(response, "sentence_embedding").as_numpy()
        return vectors
