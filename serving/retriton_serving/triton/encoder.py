"""The Triton models `encoder` and `cross_encoder` in the Python backend: token ids in, one row for each text out.

On a CPU, one micro-batch of a priority is computed on each core. That is faster than one at a time on all cores, which
synchronise at every operator, and less sensitive to other load. On GPUs, each computes one micro-batch after the other.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from retriton_serving.contract.errors import NotInstalled
from retriton_serving.contract.manifest import Manifest
from retriton_serving.contract.models import CROSS_ENCODER, EMBED_PASSAGE
from retriton_serving.contract.trust import SECRET, is_trusted, start_secret
from retriton_serving.engines import Compute, Feed, load_engine
from retriton_serving.engines.device_pool import DevicePool
from retriton_serving.engines.micro_batch import Rows
from retriton_serving.triton import workers
from retriton_serving.triton.device_state import DeviceState
from retriton_serving.triton.direct_calls import DirectCalls
from retriton_serving.triton.responses import error_response, send


class TritonPythonModel:
    """Computes one micro-batch for each request; those of queries first."""

    def initialize(self, args: dict[str, str]) -> None:
        """Loads the installed engine on its devices, and starts the workers of each."""
        config = json.loads(args["model_config"])
        folder = Path(args["model_repository"]) / args["model_version"]
        self._refusal = Manifest.missing(folder) if args["model_name"] == CROSS_ENCODER else ""
        if self._refusal:
            return
        manifest = Manifest.read(folder)
        engine = load_engine(folder, manifest.artefact)
        pb_utils.Logger.log_info(
            f"{args['model_name']}: {manifest.artefact.engine} {engine.precision} on {', '.join(engine.devices)}"
        )
        self._inputs = [item["name"] for item in config["input"]]
        self._output = config["output"][0]["name"]
        workers.end_process_on_failure()
        self._state = DeviceState(args["model_name"])
        self._pool = DevicePool(engine, _trial(self._inputs), self._state.publish)
        self._direct = DirectCalls(config, folder, manifest.encoder, partial(self._compute, self._pool.worker()))

    def execute(self, requests: list[Any]) -> None:
        """Queues each request, which is a whole micro-batch."""
        for request in requests:
            sender = request.get_response_sender()
            if self._refusal:
                send(sender, error_response(NotInstalled(self._refusal)))
                continue
            parameters = json.loads(request.parameters() or "{}")
            # Copies, because Triton reuses the request's memory when `execute` returns.
            feed = {name: pb_utils.get_input_tensor_by_name(request, name).as_numpy().copy() for name in self._inputs}
            if is_trusted(parameters.get(SECRET)) or not start_secret():
                is_query = parameters.get("lane") != EMBED_PASSAGE  # pairs to rank, too: a caller waits for them
                self._pool.submit(feed, is_query, partial(self._respond, sender))
            else:
                self._direct.submit(feed, sender, request.timeout())

    def _compute(self, compute: Compute, feed: Feed, sender: Any) -> None:
        """Answers a direct call."""
        try:
            rows: Rows | Exception = compute(feed)
        except Exception as error:  # noqa: BLE001 - whatever the engine raises fails this request only
            rows = error
        self._respond(sender, rows)

    def _respond(self, sender: Any, rows: Rows | Exception) -> None:
        if isinstance(rows, Exception):
            failure = pb_utils.TritonError(f"{type(rows).__name__}: {rows}", pb_utils.TritonError.INTERNAL)
            send(sender, pb_utils.InferenceResponse(error=failure))
        else:
            send(sender, pb_utils.InferenceResponse([pb_utils.Tensor(self._output, rows)]))


def _trial(inputs: list[str]) -> Feed:
    """A micro-batch of one text of one token, for a device that may have failed."""
    one, zero = np.ones((1, 1), np.int64), np.zeros((1, 1), np.int64)
    return {name: one if name == "attention_mask" else zero for name in inputs}
