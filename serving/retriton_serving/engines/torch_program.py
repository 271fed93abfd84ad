"""A PyTorch program (`torch.export`, a ``.pt2`` file) on GPUs or on a CPU.

The file has the checkpoint's own weights and operators, attention included (`scaled_dot_product_attention`), so that it
needs neither the checkpoint nor `transformers`. On a GPU, shapes of a small grid run as CUDA graphs.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.export.passes import move_to_device_pass

from retriton_serving.batching.cores import usable_cores
from retriton_serving.engines import Compute, Feed
from retriton_serving.engines.cuda_graphs import GraphRunner
from retriton_serving.engines.devices import chosen_devices
from retriton_serving.engines.shape_grid import ShapeGrid

_WORKERS_PER_GPU = 2  # one prepares and copies while the other computes
_MASK = "attention_mask"
_INPUTS = ("input_ids", _MASK, "token_type_ids")  # in the order of the program's arguments


class Runner(Protocol):
    """Runs the program on one device. Thread-safe.

    Attributes:
        pinned: whether copies to the device need pinned memory.
    """

    pinned: bool

    def __call__(self, inputs: Tensor) -> Tensor:
        """Returns float32 ``[rows, dimension]`` for inputs on the CPU, int64 ``[inputs, rows, length]``."""


class TorchEngine:
    """One copy of the program on each device.

    Args:
        program: the ``.pt2`` file.
        precision: precision of its weights.

    Raises:
        NoDevice: a GPU was asked for, and PyTorch finds none.
    """

    def __init__(self, program: Path, precision: str) -> None:
        self.precision = precision
        self.devices = chosen_devices(torch.cuda.device_count())
        on_gpu = self.devices[0].startswith("cuda")
        self.workers_per_device = _WORKERS_PER_GPU if on_gpu else max(1, usable_cores() // len(self.devices))
        self._runners: list[Runner] = []
        for device in self.devices:
            exported = torch.export.load(program)
            self._grid = ShapeGrid(_length_max(exported))
            module = move_to_device_pass(exported, device).module()
            self._runners.append(GraphRunner(module, device) if on_gpu else CpuRunner(module))

    def worker(self, device: int = 0, for_queries: bool = False) -> Compute:
        """Returns a function that runs the program. See `Engine.worker` for shapes."""
        runner = self._runners[device]

        def compute(feed: Feed) -> NDArray[np.float32]:
            rows = len(feed[_MASK])
            output: NDArray[np.float32] = runner(self._staged(feed, runner.pinned))[:rows].numpy()
            return output

        return compute

    def _staged(self, feed: Feed, pinned: bool) -> Tensor:
        """The inputs, padded to a shape of the grid: int64 ``[inputs, rows, length]``."""
        names = [name for name in _INPUTS if name in feed]
        rows, length = feed[_MASK].shape
        staged = torch.zeros((len(names), *self._grid.fit(rows, length)), dtype=torch.int64, pin_memory=pinned)
        for number, name in enumerate(names):
            staged[number, :rows, :length] = torch.from_numpy(np.ascontiguousarray(feed[name]))
        staged[names.index(_MASK), rows:, 0] = 1  # attention over no tokens is not a number
        return staged


class CpuRunner:
    """Runs the program on the calling thread; on the main thread, which has no workers beside it, with all cores.

    Args:
        module: the program.
    """

    pinned = False

    def __init__(self, module: nn.Module) -> None:
        self._module = module
        self._thread = threading.local()

    def __call__(self, inputs: Tensor) -> Tensor:
        """Computes one micro-batch. See `Runner`."""
        if not hasattr(self._thread, "limited") and threading.current_thread() is not threading.main_thread():
            torch.set_num_threads(1)  # of this worker: threads of one operator would wait for those of the others
            self._thread.limited = True
        with torch.inference_mode():
            output: Tensor = self._module(*inputs)
        return output


def _length_max(exported: torch.export.ExportedProgram) -> int:
    """The longest row that the program was exported for: the largest bound of its dynamic dimensions but the batch's.

    Raises:
        ValueError: the program has no dynamic length.
    """
    shapes: Sequence[object] = exported.graph_signature.user_inputs
    node = next(node for node in exported.graph.nodes if node.name == shapes[0])
    symbol = node.meta["val"].shape[1]
    bounds = exported.range_constraints.get(symbol.node.expr)
    if bounds is None:
        raise ValueError("the program has no dynamic length: export the checkpoint again")
    return int(bounds.upper)
