"""The Triton models that run a graph where the server has no backend for it: token ids in, one row a text out.

As many micro-batches are computed at a time as there are cores, each on one core: that is faster than one after the
other on all cores, which wait for each other at every operator, and it suffers less from what else runs.
"""

from __future__ import annotations

import itertools
import json
import queue
import threading
from pathlib import Path
from typing import Any

import triton_python_backend_utils as pb_utils

from retriton_serving.batching.cores import usable_cores
from retriton_serving.contract.errors import NotInstalled
from retriton_serving.contract.manifest import Manifest
from retriton_serving.engines import Compute, load_engine
from retriton_serving.triton import workers
from retriton_serving.triton.responses import refuse

_OPTIONAL = "cross_encoder"  # a repository without one serves all the rest
_FIRST = "embed_query"  # the lane whose micro-batches are computed before all others


class TritonPythonModel:
    """One micro-batch a request; those of queries first."""

    def initialize(self, args: dict[str, str]) -> None:
        """Loads the installed graph once, and starts a worker for each core that this process may use."""
        config = json.loads(args["model_config"])
        folder = Path(args["model_repository"]) / args["model_version"]
        self._refusal = Manifest.missing(folder) if args["model_name"] == _OPTIONAL else ""
        if self._refusal:
            return
        artefact = Manifest.read(folder).artefact
        engine = load_engine(folder, artefact)
        pb_utils.Logger.log_info(f"{args['model_name']}: {artefact.engine} {engine.precision}")
        self._inputs = [item["name"] for item in config["input"]]
        self._output = config["output"][0]["name"]
        self._waiting: queue.PriorityQueue[tuple[bool, int, Any]] = queue.PriorityQueue()
        self._arrivals = itertools.count()
        workers.end_process_with_any()
        for _ in range(usable_cores()):
            threading.Thread(target=self._work, args=(engine.worker(),), daemon=True).start()

    def execute(self, requests: list[Any]) -> None:
        """Queues each request: it is a whole micro-batch already."""
        for request in requests:
            if self._refusal:
                refuse(request, NotInstalled(self._refusal))
                continue
            later = json.loads(request.parameters() or "{}").get("lane") != _FIRST
            # Copies: the request's memory is Triton's again as soon as `execute` returns.
            feed = {name: pb_utils.get_input_tensor_by_name(request, name).as_numpy().copy() for name in self._inputs}
            self._waiting.put((later, next(self._arrivals), (feed, request.get_response_sender())))

    def _work(self, compute: Compute) -> None:
        while True:
            _, _, (feed, sender) = self._waiting.get()
            try:
                response = pb_utils.InferenceResponse([pb_utils.Tensor(self._output, compute(feed))])
            except Exception as error:  # noqa: BLE001 - whatever the engine raises, this request fails and no other
                message = f"{type(error).__name__}: {error}"
                failure = pb_utils.TritonError(message, pb_utils.TritonError.INTERNAL)
                response = pb_utils.InferenceResponse(error=failure)
            sender.send(response, flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
