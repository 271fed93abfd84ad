"""An ONNX graph or an OpenVINO model in OpenVINO, on a CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino
from numpy.typing import NDArray

from retriton_serving.batching.cores import usable_cores
from retriton_serving.engines import Compute, Feed

_HINTS = {"fp32": "f32", "bf16": "bf16", "int8": "bf16"}  # for int8: the precision of layers that are not quantized
_SHAPES_MAX = 128  # shapes with cached compiled code; without a bound, each new shape adds megabytes


def cpu_has_bf16() -> bool:
    """Returns whether this CPU has bfloat16 instructions (AVX-512 BF16 or AMX); without them, float32 is faster."""
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class OpenVinoEngine:
    """Two compiled models, of queries and of passages; each worker has its own inference request, on one core.

    OpenVINO has no more streams in a compiled model than the CPU has cores, and a query would wait for a stream that
    computes passages. Both models share their weights.

    Args:
        model: an ``.onnx`` or ``.xml`` file.
        precision: ``fp32``, ``bf16`` (float32 on a CPU without bfloat16 instructions) or ``int8``.
    """

    def __init__(self, model: Path, precision: str) -> None:
        bf16 = cpu_has_bf16()
        self.precision = "fp32" if precision == "bf16" and not bf16 else precision
        self.devices: tuple[str, ...] = ("cpu",)
        self.workers_per_device = cores = usable_cores()
        settings = {
            "INFERENCE_PRECISION_HINT": _HINTS[self.precision] if bf16 else "f32",
            "NUM_STREAMS": cores,
            "INFERENCE_NUM_THREADS": cores,
            "CPU_RUNTIME_CACHE_CAPACITY": _SHAPES_MAX,
            "ENABLE_CPU_PINNING": False,  # other processes of the server share the cores
        }
        core = openvino.Core()
        read = core.read_model(str(model))
        self._passages, self._queries = (core.compile_model(read, "CPU", settings) for _ in range(2))

    def worker(self, device: int = 0, for_queries: bool = False) -> Compute:
        """Returns a function with an inference request of its own. See `Engine.worker` for shapes."""
        request = (self._queries if for_queries else self._passages).create_infer_request()

        def compute(feed: Feed) -> NDArray[np.float32]:
            return np.array(request.infer(feed, share_inputs=True)[0])  # a copy: the request reuses its output buffer

        return compute
