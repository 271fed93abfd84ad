"""The Triton model `encoder` where the server has no ONNX Runtime backend: ONNX Runtime in the Python backend."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import onnxruntime
import triton_python_backend_utils as pb_utils

from retriton_serving.manifest import Manifest


class TritonPythonModel:
    """Token ids to vectors, one micro-batch a request."""

    def initialize(self, args: dict[str, str]) -> None:
        """Loads the installed graph, with as many threads as this process may use cores."""
        folder = Path(args["model_repository"]) / args["model_version"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = len(os.sched_getaffinity(0))
        # Threads that spin while they wait take the cores from the lanes.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Patterns are kept per shape, and every micro-batch has a shape of its own.
        options.enable_mem_pattern = False
        graph = folder / Manifest.read(folder).artefact.file
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def execute(self, requests: list[Any]) -> list[Any]:
        """Runs each request by itself: it is a whole micro-batch already."""
        return [self._run(request) for request in requests]

    def _run(self, request: Any) -> Any:
        feed = {
            name: pb_utils.get_input_tensor_by_name(request, name).as_numpy()
            for name in ("input_ids", "attention_mask")
        }
        try:
            (vectors,) = self._session.run(["sentence_embedding"], feed)
        except onnxruntime.capi.onnxruntime_pybind11_state.RuntimeException as error:
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(str(error), pb_utils.TritonError.INTERNAL))
        return pb_utils.InferenceResponse([pb_utils.Tensor("sentence_embedding", vectors)])
