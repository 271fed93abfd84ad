"""What the lanes have in common: requests of Triton to and from the micro-batcher.

`execute` returns before its requests are answered. Triton's dynamic batcher therefore only merges what arrives while
a batch is tokenized, and the one queue that grows under load is ours: bounded, by tokens, with deadlines.
"""

from __future__ import annotations

import json
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
from numpy.typing import NDArray

from retriton_serving.batching.batcher import LaneLimits, MicroBatcher
from retriton_serving.batching.cores import usable_cores
from retriton_serving.batching.length_sorted_queue import BatchLimits
from retriton_serving.batching.padding import Padding, TokenIds
from retriton_serving.batching.request import Request, Vectors
from retriton_serving.batching.tokenization import LaneTokenizer, TokenizedText, Truncate
from retriton_serving.batching.vector_cache import VectorCache
from retriton_serving.contract import draining
from retriton_serving.contract.errors import BadText, EncoderUnavailable, Overloaded, RequestRefused, WrongEncoder
from retriton_serving.contract.manifest import TOKENIZER_FILE, EncoderSpec, Manifest
from retriton_serving.triton import workers
from retriton_serving.triton.lane_metrics import LaneMetrics
from retriton_serving.triton.responses import as_response

ROUND_BYTES_MAX = 2 * 1024 * 1024  # about a second of tokenizing
_ABANDONED_AFTER_S = 0.5
_GATHER_S = 0.005  # while the encoder has enough to do; meanwhile Triton's batcher merges what arrives
# Handing a few short texts to a pool of threads costs more than tokenizing them, and takes cores from the encoder.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true" if usable_cores() >= 8 else "false")


class Lane(ABC):
    """A Triton model that turns texts into rows of another model, the graph: vectors or scores.

    Its limits are the parameters in its ``config.pbtxt``. What a request looks like is up to the subclass.
    """

    graph: str
    graph_output: str

    def initialize(self, args: dict[str, str]) -> None:
        """Reads the manifest of the graph beside this model, and starts the workers.

        Raises:
            FileNotFoundError: nothing is installed there.
        """
        parameters = {
            key: value["string_value"] for key, value in json.loads(args["model_config"])["parameters"].items()
        }
        folder = Path(args["model_repository"]).parent / self.graph / "1"
        spec = Manifest.read(folder).encoder
        self._spec = spec
        self._tokenizer = self.load_tokenizer(folder / TOKENIZER_FILE, spec, parameters)
        workers.end_process_with_any()
        cache = self.make_cache(parameters)
        self._metrics = LaneMetrics(
            args["model_name"],
            gauges={"waiting_tokens": lambda: self._batcher.waiting_tokens},
            totals=cache.totals() if cache else {},
        )
        self._batcher = MicroBatcher(
            Graph(self.graph, self.graph_output, args["model_name"], self.inputs),
            _limits(parameters),
            Padding(spec.pad_token_id, spec.max_tokens),
            self._metrics.record,
            cache,
        )
        draining.obey(args["model_name"], self._batcher.close)

    def execute(self, requests: list[Any]) -> None:
        """Tokenizes all texts of all requests at once, and hands each request over."""
        self._batcher.gather(_GATHER_S)
        start = time.perf_counter()
        round_ = _Round()
        arrivals = [_Arrival(request, self, self._metrics, self._batcher, round_) for request in requests]
        tokens = iter(self._tokenizer.tokenize([text for arrival in arrivals for text in arrival.texts]))
        self._metrics.observe("tokenize_seconds", time.perf_counter() - start)
        for arrival in arrivals:
            arrival.admit(tokens, self._tokenizer)

    def finalize(self) -> None:
        """Answers what was admitted."""
        self._batcher.close()
        self._metrics.close()

    @abstractmethod
    def load_tokenizer(self, file: Path, spec: EncoderSpec, parameters: dict[str, str]) -> LaneTokenizer:
        """The tokenizer of this lane's texts."""

    def make_cache(self, parameters: dict[str, str]) -> VectorCache | None:
        """Where rows are looked for before they are computed."""
        return None

    @abstractmethod
    def read(self, request: Any) -> list[Any]:
        """The texts of a request. Raises `RequestRefused`."""

    def read_options(self, parameters: dict[str, Any]) -> Any:
        """What `outputs` must know of a request's parameters. Raises `RequestRefused`."""
        return None

    def size_bytes(self, texts: list[Any]) -> int:
        """About how many bytes are turned into tokens."""
        return sum(map(len, texts))

    def check_encoder(self, fingerprint: object) -> None:
        """Raises `WrongEncoder` if a request means another encoder than this one."""
        if fingerprint not in (None, self._spec.fingerprint):
            raise WrongEncoder(
                f"this server has {self._spec.name} ({self._spec.fingerprint}), the request means {fingerprint}"
            )

    @abstractmethod
    def inputs(self, ids: TokenIds, mask: TokenIds) -> dict[str, TokenIds]:
        """The inputs of the graph."""

    @abstractmethod
    def outputs(self, rows: Vectors, tokens: NDArray[np.int32], dropped: NDArray[np.int32], options: Any) -> list[Any]:
        """The tensors of the answer, from the graph's rows and the counts of each text."""


def _limits(parameters: dict[str, str]) -> LaneLimits:
    return LaneLimits(
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


def _in_flight(value: str) -> int:
    """The parameter ``in_flight_max``: a number, or ``cores+N`` of the cores that this process may use."""
    if not value.startswith("cores"):
        return int(value)
    return usable_cores() + int(value.removeprefix("cores") or 0)


class _Round:
    """How much text came together: while it is turned into tokens, everybody waits, and probes of health, too."""

    def __init__(self) -> None:
        self._size_bytes = 0

    def add(self, size_bytes: int) -> None:
        """Takes the texts of one more request.

        Raises:
            BadText: they are too much by themselves.
            Overloaded: they are too much beside the others.
        """
        if size_bytes > ROUND_BYTES_MAX:
            raise BadText(
                "TEXT_TOO_LARGE",
                f"the texts of the request have {size_bytes} bytes, at most {ROUND_BYTES_MAX} are taken. Send fewer.",
            )
        if self._size_bytes + size_bytes > ROUND_BYTES_MAX:
            raise Overloaded(self._size_bytes, ROUND_BYTES_MAX, "bytes of text are tokenized")
        self._size_bytes += size_bytes


class _Arrival:
    """A request of Triton on its way in, and the reply on its way out."""

    def __init__(self, request: Any, lane: Lane, metrics: LaneMetrics, batcher: MicroBatcher, round_: _Round) -> None:
        self._lane = lane
        self._metrics = metrics
        self._batcher = batcher
        self._sender = request.get_response_sender()
        self._arrived_s = time.monotonic()
        self._tokenized: list[TokenizedText] = []
        self._deadline_s = self._arrived_s + request.timeout() / 1e6 if request.timeout() else None
        self.texts: list[Any] = []
        try:
            parameters = json.loads(request.parameters() or "{}")
            self._truncate = Truncate.parse(parameters.get("truncate", Truncate.NONE))
            self._urgent = bool(parameters.get("probe", False))
            batcher.check_room(self._deadline_s, self._urgent)  # tokenizing what is refused would cost goodput
            self._options = lane.read_options(parameters)
            lane.check_encoder(parameters.get("fingerprint"))
            texts = lane.read(request)
            round_.add(lane.size_bytes(texts))
            self.texts = texts
        except RequestRefused as error:
            self.fail(error)

    def admit(self, tokens: Iterator[list[int]], tokenizer: LaneTokenizer) -> None:
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
        """Sends the rows and the token counts."""
        self._metrics.add("requests_total", 1, "OK")
        self._metrics.observe("request_seconds", time.monotonic() - self._arrived_s)
        tokens = np.array([len(text.ids) for text in self._tokenized], np.int32)
        dropped = np.array([text.dropped for text in self._tokenized], np.int32)
        self._send(pb_utils.InferenceResponse(self._lane.outputs(vectors, tokens, dropped, self._options)))

    def fail(self, error: RequestRefused) -> None:
        """Sends the error with the status of Triton that fits."""
        self._metrics.add("requests_total", 1, error.code)
        self._send(as_response(error))

    def is_abandoned(self) -> bool:
        """Whether the caller cancelled; asking costs a message between processes, so only after a while."""
        return time.monotonic() - self._arrived_s > _ABANDONED_AFTER_S and bool(self._sender.is_cancelled())

    def _send(self, response: Any) -> None:
        try:
            self._sender.send(response, flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
        except pb_utils.TritonModelException as error:
            pb_utils.Logger.log_warn(f"a response could not be delivered: {error}")


class Graph:
    """The model that computes, whichever backend runs it.

    Args:
        name: of the model.
        output: its output.
        lane: who asks; the encoder computes queries first, where it can.
        inputs: makes its inputs of ids and mask.
    """

    def __init__(
        self, name: str, output: str, lane: str, inputs: Callable[[TokenIds, TokenIds], dict[str, TokenIds]]
    ) -> None:
        self._name = name
        self._output = output
        self._parameters = {"lane": lane}
        self._inputs = inputs

    def __call__(self, ids: TokenIds, mask: TokenIds) -> Vectors:
        """One micro-batch."""
        request = pb_utils.InferenceRequest(
            model_name=self._name,
            requested_output_names=[self._output],
            inputs=[pb_utils.Tensor(name, array) for name, array in self._inputs(ids, mask).items()],
            parameters=self._parameters,
        )
        try:
            response = request.exec()
        except pb_utils.TritonModelException as error:
            raise EncoderUnavailable(f"the {self._name} could not be asked: {error}. Try again later.") from error
        if response.has_error():
            raise EncoderUnavailable(f"the {self._name} failed: {response.error().message()}. Try again later.")
        rows: Vectors = pb_utils.get_output_tensor_by_name(response, self._output).as_numpy()
        return rows
