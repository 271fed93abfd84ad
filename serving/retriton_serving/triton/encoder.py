"""The Triton models `encoder` and `cross_encoder` in the Python backend: token ids in, one row for each text out.

One micro-batch is computed on each core. That is faster than one at a time on all cores, which synchronise at every
operator, and less sensitive to other load.
"""

from __future__ import annotations

import itertools
import json
import queue
import threading
from functools import partial
from pathlib import Path
from typing import Any

import triton_python_backend_utils as pb_utils

from retriton_serving.batching.cores import usable_cores
from retriton_serving.contract.errors import NotInstalled
from retriton_serving.contract.manifest import Manifest
from retriton_serving.contract.models import CROSS_ENCODER, EMBED_QUERY
from retriton_serving.contract.trust import SECRET, is_trusted, start_secret
from retriton_serving.engines import Compute, load_engine
from retriton_serving.triton import workers
from retriton_serving.triton.direct_calls import DirectCalls
from retriton_serving.triton.responses import error_response, send


class TritonPythonModel:
    """Computes one micro-batch for each request; those of queries first."""

    def initialize(self, args: dict[str, str]) -> None:
        """Loads the installed engine once, and starts a worker for each usable core."""
        config = json.loads(args["model_config"])
        folder = Path(args["model_repository"]) / args["model_version"]
        self._refusal = Manifest.missing(folder) if args["model_name"] == CROSS_ENCODER else ""
        if self._refusal:
            return
        manifest = Manifest.read(folder)
        engine = load_engine(folder, manifest.artefact)
        pb_utils.Logger.log_info(f"{args['model_name']}: {manifest.artefact.engine} {engine.precision}")
        self._inputs = [item["name"] for item in config["input"]]
        self._output = config["output"][0]["name"]
        self._waiting: queue.PriorityQueue[tuple[bool, int, Any]] = queue.PriorityQueue()
        self._arrivals = itertools.count()
        workers.end_process_on_failure()
        for _ in range(usable_cores()):
            threading.Thread(target=self._work, args=(engine.worker(),), daemon=True).start()
        self._direct = DirectCalls(config, folder, manifest.encoder, partial(self._respond, engine.worker()))

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
                later = parameters.get("lane") != EMBED_QUERY
                self._waiting.put((later, next(self._arrivals), (feed, sender)))
            else:
                self._direct.submit(feed, sender, request.timeout())

    def _work(self, compute: Compute) -> None:
        while True:
            _, _, (feed, sender) = self._waiting.get()
            self._respond(compute, feed, sender)

    def _respond(self, compute: Compute, feed: dict[str, Any], sender: Any) -> None:
        try:
            response = pb_utils.InferenceResponse([pb_utils.Tensor(self._output, compute(feed))])
        except Exception as error:  # noqa: BLE001 - whatever the engine raises fails this request only
            message = f"{type(error).__name__}: {error}"
            failure = pb_utils.TritonError(message, pb_utils.TritonError.INTERNAL)
            response = pb_utils.InferenceResponse(error=failure)
        send(sender, response)
