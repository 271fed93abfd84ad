"""The base of the lanes: Triton's requests through tokenizer and batcher to another model.

`execute` returns before its requests are answered. So Triton's dynamic batcher only merges what arrives while a batch
is tokenized, and the queue that grows under load is ours: bounded, by tokens, with deadlines.
"""

from __future__ import annotations

import json
import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from retriton_serving.batching.batcher import LaneLimits, MicroBatcher
from retriton_serving.batching.cores import usable_cores
from retriton_serving.batching.length_sorted_queue import BatchLimits
from retriton_serving.batching.padding import Padding, TokenIds
from retriton_serving.batching.request import Request, Vectors
from retriton_serving.batching.row_check import RowCheck
from retriton_serving.batching.tokenization import LaneTokenizer, Truncate
from retriton_serving.batching.vector_cache import VectorCache
from retriton_serving.batching.word_cache import Ids
from retriton_serving.contract.draining import drain_on_request
from retriton_serving.contract.errors import Expired, RequestRefused, WrongEncoder
from retriton_serving.contract.manifest import TOKENIZER_FILE, EncoderSpec, Manifest
from retriton_serving.engines.devices import chosen_devices, visible_gpus
from retriton_serving.triton import workers
from retriton_serving.triton.lane_metrics import LaneMetrics
from retriton_serving.triton.lane_process import LaneProcess
from retriton_serving.triton.lane_request import PROBES_MAX, Counts, LaneRequest, ProbeSlots
from retriton_serving.triton.model_call import ModelCall
from retriton_serving.triton.tokenization_budget import WAITING_BYTES_MAX, LongTexts, Round

_MERGE_S = 0.005  # while the encoder is busy; meanwhile Triton's batcher merges new requests
# Handing a few short texts to a thread pool costs more than tokenizing them, and takes cores from the encoder.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true" if usable_cores() >= 8 else "false")


class Lane(ABC):
    """A Triton model that turns texts into rows (vectors or scores) of another model.

    Its limits are parameters in its ``config.pbtxt``. Subclasses define the tensors of requests and responses.

    Attributes:
        model: the name of the model that computes.
        model_output: its output.
    """

    model: str
    model_output: str

    def initialize(self, args: dict[str, str]) -> None:
        """Reads the manifest of the computing model, and starts the batcher.

        Raises:
            FileNotFoundError: nothing is installed there.
        """
        name = args["model_name"]
        config = json.loads(args["model_config"])
        parameters = {key: value["string_value"] for key, value in config["parameters"].items()}
        self._process = LaneProcess(config, args["model_instance_name"])
        folder = Path(args["model_repository"]).parent / self.model / "1"
        spec = Manifest.read(folder).encoder
        self._spec = spec
        self._tokenizer = self.load_tokenizer(folder / TOKENIZER_FILE, spec, parameters)
        workers.end_process_on_failure()
        cache = self.make_cache(parameters, self._process.count)
        self._metrics = LaneMetrics(name)
        self._probes = ProbeSlots(self._process.share(PROBES_MAX))
        self._long_texts = LongTexts(self._tokenize_long, self._process.share(WAITING_BYTES_MAX))
        self._batcher = MicroBatcher(
            ModelCall(self.model, self.model_output, name, self.inputs),
            lane_limits(parameters, self._process.share),
            Padding(spec.pad_token_id, spec.max_tokens),
            self._metrics.record,
            cache,
            RowCheck.of(spec),
        )
        self._metrics.start(
            gauges={"waiting_tokens": lambda: self._batcher.waiting_tokens},
            totals=cache.totals() if cache else {},
        )
        self._process.listen(self._batcher.submit)
        drain_on_request(self._process.name, self._close)

    def execute(self, requests: list[Any]) -> None:
        """Tokenizes the short texts of all requests at once, and submits each request to the batcher."""
        self._batcher.wait_for_idle(_MERGE_S)
        received = [LaneRequest(request, self._metrics, self._probes) for request in requests]
        tokenized_here = Round()
        self._tokenize([request for request in received if self._read(request, tokenized_here)])

    def finalize(self) -> None:
        """Answers what was admitted."""
        self._close()
        self._metrics.close()

    @abstractmethod
    def load_tokenizer(self, file: Path, spec: EncoderSpec, parameters: dict[str, str]) -> LaneTokenizer:
        """The tokenizer of this lane's texts."""

    def make_cache(self, parameters: dict[str, str], processes: int) -> VectorCache | None:
        """The cache of this process, one of ``processes`` of the lane; None for none."""
        return None

    @abstractmethod
    def read_raw(self, request: Any) -> Sequence[Any]:
        """The texts of a request of Triton as their bytes. Raises `RequestRefused`."""

    @abstractmethod
    def raw_bytes(self, raw: Sequence[Any]) -> list[int]:
        """The sizes of what is tokenized for texts of `read_raw`, in bytes. Raises `RequestRefused` for too many."""

    @abstractmethod
    def decode(self, raw: Sequence[Any]) -> list[Any]:
        """Texts of `read_raw` as the tokenizer takes them. Raises `RequestRefused`."""

    def read_options(self, parameters: Mapping[str, Any]) -> Any:
        """The parameters that `outputs` needs. Raises `RequestRefused`."""
        return None

    @abstractmethod
    def inputs(self, ids: TokenIds, mask: TokenIds) -> dict[str, TokenIds]:
        """The inputs of the computing model, by name."""

    @abstractmethod
    def outputs(self, options: Any, rows: Vectors, tokens: Counts, dropped: Counts) -> dict[str, NDArray[Any]]:
        """The outputs by name, from the model's rows and the token counts of each text."""

    def _close(self) -> None:
        self._long_texts.close()
        self._batcher.close()

    def _read(self, request: LaneRequest, tokenized_here: Round) -> bool:
        """Reads a request, and says whether it is to be tokenized now.

        A request that is refused is answered here, before it costs tokenizing; one with long texts is queued.
        """
        try:
            if (truncate := request.parameters.get("truncate")) is not None:
                request.truncate = Truncate.parse(truncate)
            request.options = self.read_options(request.parameters)
            self._check_encoder(request.parameters.get("fingerprint"))
            self._batcher.check_room(request.deadline_s, request.is_urgent, request.caller)
            request.raw = self.read_raw(request.triton)
            request.measure(self.raw_bytes)
            if tokenized_here.admits(request):
                request.decode(self.decode)
                return True
            self._long_texts.put(request)
        except RequestRefused as error:
            request.fail(error)
        return False

    def _tokenize(self, requests: Sequence[LaneRequest]) -> None:
        start = time.perf_counter()
        ids = self._tokenizer.tokenize([text for request in requests for text in request.texts])
        self._metrics.observe("tokenize_seconds", time.perf_counter() - start)
        first = 0
        for request in requests:
            end = first + len(request.texts)
            self._submit(request, ids[first:end])
            first = end

    def _tokenize_long(self, request: LaneRequest) -> None:
        """Tokenizes a request with long texts, unless nobody waits for it any more."""
        try:
            if request.is_expired() or request.is_abandoned():
                raise Expired("the deadline passed, or the caller disconnected, before the texts were tokenized")
            request.decode(self.decode)
        except RequestRefused as error:
            request.fail(error)
        else:
            self._tokenize([request])

    def _submit(self, request: LaneRequest, ids: list[Ids]) -> None:
        try:
            tokenized = request.tokenized(ids, self._tokenizer, partial(self.outputs, request.options))
            if tokenized.urgent and self._process.has_others:
                threading.Thread(target=self._probe_all, args=(request, tokenized), daemon=True).start()
            else:
                self._batcher.submit(tokenized)
        except RequestRefused as error:
            request.fail(error)

    def _probe_all(self, request: LaneRequest, tokenized: Request) -> None:
        """Answers a probe once every other process of the lane has computed it too."""
        try:
            self._process.check_others(tokenized.texts[0])
            self._batcher.submit(tokenized)
        except RequestRefused as error:
            request.fail(error)

    def _check_encoder(self, fingerprint: object) -> None:
        """Raises `WrongEncoder` if a request names another encoder than this one."""
        if fingerprint not in (None, self._spec.fingerprint):
            raise WrongEncoder(
                f"this server has {self._spec.name} ({self._spec.fingerprint}), the request names {fingerprint!s:.80}"
            )


def lane_limits(parameters: dict[str, str], share: Callable[[int], int]) -> LaneLimits:
    """The limits of one process, from the parameters of a ``config.pbtxt``; ``share`` is its part of a bound.

    The bound in seconds needs no share: it is multiplied with the throughput of the process.
    """
    return LaneLimits(
        batch=BatchLimits(
            tokens_max=int(parameters["batch_tokens_max"]),
            texts_max=int(parameters["batch_texts_max"]),
            padding_share_max=float(parameters["padding_share_max"]),
            padding_free_tokens=int(parameters["padding_free_tokens"]),
        ),
        waiting_seconds_max=float(parameters["waiting_seconds_max"]),
        waiting_tokens_min=share(int(parameters["waiting_tokens_min"])),
        in_flight_max=share(_in_flight(parameters["in_flight_max"])),
    )


def _in_flight(value: str) -> int:
    """The parameter ``in_flight_max``: a number, ``cores+N`` for N more than the usable cores, or ``devices*N``."""
    if value.startswith("devices*"):
        return len(chosen_devices(visible_gpus())) * int(value.removeprefix("devices*"))
    if not value.startswith("cores"):
        return int(value)
    return usable_cores() + int(value.removeprefix("cores") or 0)
