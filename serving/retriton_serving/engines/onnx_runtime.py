"""An ONNX graph in ONNX Runtime, on a CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from retriton_serving.engines import Compute, Feed


class OnnxRuntimeEngine:
    """One session for all workers; each call computes on one thread.

    Args:
        graph: the ONNX file.
        precision: precision of its weights and operators.
    """

    def __init__(self, graph: Path, precision: str) -> None:
        self.precision = precision
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        # ONNX Runtime caches a memory pattern per shape, and micro-batches have many shapes.
        options.enable_mem_pattern = False
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def worker(self) -> Compute:
        """Returns a function that runs the graph. See `Engine.worker` for shapes."""

        def compute(feed: Feed) -> NDArray[np.float32]:
            output: NDArray[np.float32] = self._session.run(None, feed)[0]
            return output

        return compute
