"""The Triton model `encoder` where the server has no ONNX Runtime backend: ONNX Runtime in the Python backend.

It computes as many micro-batches at a time as there are cores, each on one thread: that is faster than one after the
other on all threads, which wait for each other at every operator, and it suffers less from what else runs.
"""

from __future__ import annotations

import itertools
import json
import os
import queue
import threading
from pathlib import Path
from typing import Any

import triton_python_backend_utils as pb_utils
from onnxruntime import InferenceSession

from retriton_serving.manifest import Manifest
from retriton_serving.onnx_session import INPUTS, OUTPUT, load_session

_FIRST = "embed_query"  # the lane whose micro-batches are computed before all others


class TritonPythonModel:
    """Token ids to vectors, one micro-batch a request; those of queries first."""

    def initialize(self, args: dict[str, str]) -> None:
        """Loads the installed graph once, and starts a worker for each core that this process may use."""
        folder = Path(args["model_repository"]) / args["model_version"]
        self._session = load_session(folder / Manifest.read(folder).artefact.file)
        self._waiting: queue.PriorityQueue[tuple[bool, int, Any]] = queue.PriorityQueue()
        self._arrivals = itertools.count()
        for _ in os.sched_getaffinity(0):
            threading.Thread(target=self._work, daemon=True).start()

    def execute(self, requests: list[Any]) -> None:
        """Queues each request: it is a whole micro-batch already."""
        for request in requests:
            later = json.loads(request.parameters() or "{}").get("lane") != _FIRST
            self._waiting.put((later, next(self._arrivals), _Job(request)))

    def _work(self) -> None:
        while True:
            _, _, job = self._waiting.get()
            job.run(self._session)


class _Job:
    """The inputs of a request, and where its answer goes."""

    def __init__(self, request: Any) -> None:
        self._sender = request.get_response_sender()
        # Copies: the request's memory is Triton's again as soon as `execute` returns.
        self._feed = {name: pb_utils.get_input_tensor_by_name(request, name).as_numpy().copy() for name in INPUTS}

    def run(self, session: InferenceSession) -> None:
        """Computes and answers."""
        try:
            (vectors,) = session.run([OUTPUT], self._feed)
            response = pb_utils.InferenceResponse([pb_utils.Tensor(OUTPUT, vectors)])
        except Exception as error:  # noqa: BLE001 - whatever the engine raises, this request fails and no other
            message = f"{type(error).__name__}: {error}"
            response = pb_utils.InferenceResponse(error=pb_utils.TritonError(message, pb_utils.TritonError.INTERNAL))
        self._sender.send(response, flags=pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
