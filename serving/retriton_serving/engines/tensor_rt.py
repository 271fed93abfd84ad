"""A TensorRT plan on GPUs, with TensorRT or with TensorRT for RTX, which have the same interface.

Device memory and streams are PyTorch's. No plan has been run by the authors.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from retriton_serving.contract.manifest import Artefact
from retriton_serving.engines import Compute, Feed
from retriton_serving.engines.devices import NoDevice, chosen_devices

# By engine, the names under which wheels and installations provide the package.
PACKAGES = {"tensorrt": ("tensorrt",), "tensorrt-rtx": ("tensorrt_rtx", "tensorrt_rtx_bindings")}
_WORKERS_PER_GPU = 2  # one copies while the other computes


def import_tensorrt(engine: str) -> Any:
    """Imports the package of an engine, ``tensorrt`` or ``tensorrt-rtx``.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    found = [name for name in PACKAGES[engine] if find_spec(name)]
    return import_module(found[0] if found else PACKAGES[engine][0])


class TensorRtEngine:
    """A plan on each GPU.

    Args:
        plan: the file.
        artefact: its description.

    Raises:
        NoDevice: there is no GPU, or the plan was built for other GPUs or by another version.
    """

    def __init__(self, plan: Path, artefact: Artefact) -> None:
        self.precision = artefact.precision
        self.workers_per_device = _WORKERS_PER_GPU
        tensorrt = import_tensorrt(artefact.engine)
        self.devices = chosen_devices(torch.cuda.device_count())
        if not self.devices[0].startswith("cuda"):
            raise NoDevice(f"{plan.name} is for {artefact.engine}, which needs a GPU; PyTorch finds none")
        self._plans = []
        for device in map(torch.device, self.devices):
            check_capability(artefact, torch.cuda.get_device_capability(device), torch.cuda.get_device_name(device))
            with torch.cuda.device(device):
                runtime = tensorrt.Runtime(tensorrt.Logger(tensorrt.Logger.WARNING))
                loaded = runtime.deserialize_cuda_engine(plan.read_bytes())
            if loaded is None:
                raise NoDevice(
                    f"TensorRT {tensorrt.__version__} cannot load {plan.name}: another version built it (its manifest "
                    "names it); run `retriton export` with the version that serves"
                )
            self._plans.append(loaded)

    def worker(self, device: int = 0, for_queries: bool = False) -> Compute:
        """Returns a function with execution contexts and a stream of its own. See `Engine.worker` for shapes."""
        return PlanWorker(self._plans[device], self.devices[device])


def check_capability(artefact: Artefact, capability: tuple[int, int], name: str) -> None:
    """Raises `NoDevice` if a plan was built for GPUs of other compute capabilities."""
    found = "{}.{}".format(*capability)
    if artefact.compute_capabilities and found not in artefact.compute_capabilities:
        raise NoDevice(
            f"{artefact.file} is for compute capability {', '.join(artefact.compute_capabilities)}, and {name} has "
            f"{found}: run `retriton export --engine {artefact.engine} --compute-capability {found}`"
        )


class PlanWorker:
    """Runs a plan on one GPU, for one thread.

    Args:
        plan: ``ICudaEngine``.
        device: for example ``cuda:0``.
    """

    def __init__(self, plan: Any, device: str) -> None:
        self._device = torch.device(device)
        self._stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        names = [plan.get_tensor_name(number) for number in range(plan.num_io_tensors)]
        self._inputs = [name for name in names if plan.get_tensor_mode(name).name == "INPUT"]
        self._output = next(name for name in names if name not in self._inputs)
        self._contexts = []  # by profile: changing the profile of a context waits for the device
        for profile in range(plan.num_optimization_profiles):
            with torch.cuda.device(self._device):
                context = plan.create_execution_context()
                context.set_optimization_profile_async(profile, self._stream.cuda_stream)
            largest = tuple(plan.get_tensor_profile_shape(self._inputs[0], profile)[2])
            self._contexts.append((largest, context))

    def __call__(self, feed: Feed) -> NDArray[np.float32]:
        """Computes one micro-batch. See `Engine.worker` for shapes."""
        context = _context_for(self._contexts, feed[self._inputs[0]].shape)
        with torch.cuda.device(self._device), torch.cuda.stream(self._stream):
            arrays = {name: self._to_device(feed[name]) for name in self._inputs}
            for name, array in arrays.items():
                context.set_input_shape(name, tuple(array.shape))
                context.set_tensor_address(name, array.data_ptr())
            shape = tuple(context.get_tensor_shape(self._output))
            rows = torch.empty(shape, dtype=torch.float32, device=self._device)
            context.set_tensor_address(self._output, rows.data_ptr())
            if not context.execute_async_v3(self._stream.cuda_stream):
                raise RuntimeError(f"TensorRT failed on micro-batches of the shape {feed[self._inputs[0]].shape}")
            output: NDArray[np.float32] = rows.cpu().numpy()  # waits for the stream
        return output

    def _to_device(self, array: NDArray[np.int64]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).pin_memory().to(self._device, non_blocking=True)


def _context_for(contexts: Sequence[tuple[tuple[int, ...], Any]], shape: tuple[int, ...]) -> Any:
    """The context of the first profile that contains ``shape``; the profile of queries is the first."""
    for largest, context in contexts:
        if all(size <= most for size, most in zip(shape, largest, strict=True)):
            return context
    raise ValueError(f"no profile of the plan contains {shape}: the largest are {[most for most, _ in contexts]}")
