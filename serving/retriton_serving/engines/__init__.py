"""In-process engines, for Triton installations without a native backend for the artefact.

An engine is loaded once, on one or more devices, and returns one compute function per worker thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from retriton_serving.contract.manifest import Artefact

Feed = Mapping[str, NDArray[np.int64]]
Compute = Callable[[Feed], NDArray[np.float32]]


class Engine(Protocol):
    """A loaded artefact.

    Attributes:
        precision: precision of the computation; may be higher than that of the artefact.
        devices: names of the devices that it is loaded on, for example ``("cuda:0", "cuda:1")``.
        workers_per_device: how many workers keep a device busy. On a CPU each worker computes on a core of its own; on
            a GPU one computes while another copies.
    """

    precision: str
    devices: tuple[str, ...]
    workers_per_device: int

    def worker(self, device: int = 0, for_queries: bool = False) -> Compute:
        """Returns a function from the inputs, int64 ``[n, longest]`` each, to the output, float32 ``[n, dimension]``.

        The function computes on one device, for one thread at a time. Several workers may compute in parallel.

        Args:
            device: index in ``devices``.
            for_queries: whether the function must not wait for those that compute passages.
        """


class EngineMissing(RuntimeError):
    """The runtime of an artefact is not installed, or requires a full Triton."""


def load_engine(folder: Path, artefact: Artefact) -> Engine:
    """Loads the artefact in ``folder`` on the devices of `retriton_serving.engines.devices.chosen_devices`.

    Raises:
        EngineMissing: the runtime of the artefact is not installed.
        NoDevice: a device that was asked for does not exist, or the artefact was not built for it.
    """
    file = folder / artefact.file
    try:
        return _load(file, artefact)
    except ImportError as error:
        extra = "retriton setup" if artefact.engine in ("openvino", "onnxruntime") else "retriton setup --gpu"
        raise EngineMissing(
            f"{artefact.file} is for {artefact.engine}, and the package {error.name} is not installed: run `{extra}`, "
            "or export for another engine"
        ) from error


def _load(file: Path, artefact: Artefact) -> Engine:
    match artefact.engine:
        case "openvino":
            from retriton_serving.engines.open_vino import OpenVinoEngine

            return OpenVinoEngine(file, artefact.precision)
        case "onnxruntime":
            from retriton_serving.engines.onnx_runtime import OnnxRuntimeEngine

            return OnnxRuntimeEngine(file, artefact.precision)
        case "torch":
            from retriton_serving.engines.torch_program import TorchEngine

            return TorchEngine(file, artefact.precision)
        case "tensorrt" | "tensorrt-rtx":
            from retriton_serving.engines.tensor_rt import TensorRtEngine

            return TensorRtEngine(file, artefact)
    raise EngineMissing(f"{artefact.file} is for {artefact.engine}, which this version does not know")
