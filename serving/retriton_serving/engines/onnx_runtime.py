"""An ONNX graph in ONNX Runtime, on a CPU or on GPUs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from retriton_serving.batching.cores import usable_cores
from retriton_serving.contract.variables import DEVICES, ONNXRUNTIME_PROVIDER
from retriton_serving.engines import Compute, Feed
from retriton_serving.engines.devices import CPU, NoDevice, chosen_devices, visible_gpus

_PROVIDERS = {"cuda": "CUDAExecutionProvider", "tensorrt": "TensorrtExecutionProvider"}
_WORKERS_PER_GPU = 2  # one copies while the other computes


class OnnxRuntimeEngine:
    """One session for each device, for all of its workers; on a CPU each call computes on one thread.

    Args:
        graph: the ONNX file.
        precision: precision of its weights and operators.

    Raises:
        NoDevice: a GPU was asked for, and its execution provider is not in this ONNX Runtime or does not load. ONNX
            Runtime itself would compute on the CPU without an error.
    """

    def __init__(self, graph: Path, precision: str) -> None:
        self.precision = precision
        built_for_gpus = _PROVIDERS["cuda"] in onnxruntime.get_available_providers()
        self.devices = chosen_devices(visible_gpus() if built_for_gpus else 0)
        self.workers_per_device = max(1, usable_cores() // len(self.devices))
        if self.devices[0].startswith("cuda"):
            self.workers_per_device = _WORKERS_PER_GPU
        self._sessions = [_session(graph, device) for device in self.devices]

    def worker(self, device: int = 0, for_queries: bool = False) -> Compute:
        """Returns a function that runs the graph. See `Engine.worker` for shapes.

        Inputs are bound where they are, and the output to memory of the CPU, so that ONNX Runtime itself makes the only
        copy in each direction.
        """
        session = self._sessions[device]
        output = session.get_outputs()[0].name

        def compute(feed: Feed) -> NDArray[np.float32]:
            binding = session.io_binding()
            for name, array in feed.items():
                binding.bind_cpu_input(name, np.ascontiguousarray(array))
            binding.bind_output(output, CPU)
            session.run_with_iobinding(binding)
            rows: NDArray[np.float32] = binding.copy_outputs_to_cpu()[0]
            return rows

        return compute


def _session(graph: Path, device: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    # ONNX Runtime caches a memory pattern per shape, and micro-batches have many shapes.
    options.enable_mem_pattern = False
    providers = _providers(device)
    _check(providers, onnxruntime.get_available_providers(), device, "is not in this ONNX Runtime")
    if device != CPU and hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()  # CUDA and cuDNN from their wheels, or from those that PyTorch has installed
    session = onnxruntime.InferenceSession(str(graph), options, providers=providers)
    _check(providers, session.get_providers(), device, "does not load; its log above names the library that is missing")
    return session


def _check(providers: Sequence[tuple[str, Any]], present: Sequence[str], device: str, problem: str) -> None:
    """Raises `NoDevice` if a provider is missing: ONNX Runtime would compute on the CPU."""
    if missing := [name for name, _ in providers if name not in present]:
        raise NoDevice(
            f"{missing[0]} for {device} {problem} (ONNX Runtime {onnxruntime.__version__}): run `retriton setup "
            f"--gpu`, or set {DEVICES}=cpu"
        )


def _providers(device: str) -> list[tuple[str, dict[str, Any]]]:
    """The execution providers of a device in the order of preference; operators that a GPU lacks run on the CPU."""
    on_cpu: tuple[str, dict[str, Any]] = ("CPUExecutionProvider", {})
    kind, _, number = device.partition(":")
    if kind == CPU:
        return [on_cpu]
    # Grow the arena by what is asked for, not to the next power of two: lengths differ.
    on_gpu = (_PROVIDERS["cuda"], {"device_id": number, "arena_extend_strategy": "kSameAsRequested"})
    wanted = os.environ.get(ONNXRUNTIME_PROVIDER, "cuda")
    if wanted not in _PROVIDERS:
        raise ValueError(f"{ONNXRUNTIME_PROVIDER} is {wanted!r}, not one of {', '.join(_PROVIDERS)}")
    if wanted == "tensorrt":
        return [(_PROVIDERS["tensorrt"], {"device_id": number}), on_gpu, on_cpu]
    return [on_gpu, on_cpu]
