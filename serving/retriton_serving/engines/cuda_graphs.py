"""Runs a PyTorch module on a GPU as CUDA graphs: one launch for a micro-batch instead of one for each operator."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import Tensor, nn

_GRAPHS_MAX = 256  # a graph of 24 layers has about 400 nodes, some megabytes of memory of the device


@dataclass(frozen=True)
class _Graph:
    """A recorded computation of one shape.

    Attributes:
        inputs: int64 ``[inputs, rows, length]`` on the device; to be filled before each replay.
        output: float32 ``[rows, dimension]`` on the device; valid until the next replay of any graph.
    """

    graph: torch.cuda.CUDAGraph
    inputs: Tensor
    output: Tensor


class GraphRunner:
    """Runs a module on one GPU. Thread-safe.

    A shape is recorded when it comes the second time; a recording takes some tenths of a second, in which the device
    computes nothing else. All graphs share one pool of memory, so that they need no more than the largest: they run one
    after the other, on one stream, and each output is copied before the next graph begins.

    Args:
        module: maps int64 ``[rows, length]`` inputs to float32 ``[rows, dimension]``.
        device: for example ``cuda:0``.
    """

    pinned = True

    def __init__(self, module: nn.Module, device: str) -> None:
        self._module = module
        self._device = torch.device(device)
        self._stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        self._pool = torch.cuda.graph_pool_handle()
        self._graphs: OrderedDict[torch.Size, _Graph | None] = OrderedDict()  # None: seen once
        self._enqueuing = threading.Lock()

    def __call__(self, inputs: Tensor) -> Tensor:
        """Computes one micro-batch; other threads may enqueue theirs while this one waits. See `Runner`."""
        done = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        with self._enqueuing, torch.inference_mode(), torch.cuda.device(self._device):
            graph = self._recorded(inputs.shape)
            with torch.cuda.stream(self._stream):
                if graph is None:
                    output = self._module(*inputs.to(self._device, non_blocking=True))
                else:
                    graph.inputs.copy_(inputs, non_blocking=True)
                    graph.graph.replay()
                    output = graph.output
                on_cpu = torch.empty(output.shape, dtype=output.dtype, pin_memory=True)
                on_cpu.copy_(output, non_blocking=True)
                done.record(self._stream)
        done.synchronize()
        return on_cpu

    def _recorded(self, shape: torch.Size) -> _Graph | None:
        """The graph of a shape; None for a shape that has not been seen before."""
        if shape not in self._graphs:
            self._graphs[shape] = None
            if len(self._graphs) > _GRAPHS_MAX:
                self._graphs.popitem(last=False)
            return None
        if self._graphs[shape] is None:
            self._graphs[shape] = self._record(shape)
        self._graphs.move_to_end(shape)
        return self._graphs[shape]

    def _record(self, shape: torch.Size) -> _Graph:
        self._stream.synchronize()
        inputs = torch.ones(shape, dtype=torch.int64, device=self._device)
        graph = torch.cuda.CUDAGraph()
        # Other threads allocate pinned memory meanwhile, which is no part of the graph: only this thread is watched.
        with torch.cuda.graph(graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"):
            output = self._module(*inputs)
        return _Graph(graph, inputs, output)
