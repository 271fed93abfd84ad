"""The engine alone: tokens per second at fixed shapes, and the share of the device's matrix peak that this is."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from bench.gpu.model import Shape
from bench.gpu.repository import PRECISIONS
from retriton_serving.contract.manifest import Manifest
from retriton_serving.engines import Compute, Engine, Feed, load_engine

_WARM_UP_S = 1.0  # CUDA graphs are recorded meanwhile
_PEAK_SIDE = {"cuda": 8192, "cpu": 1024}  # of the square matrices


def matrix_peak_flops(device: str, precision: str, seconds: float) -> float:
    """Measures floating-point operations per second of large matrix products in ``precision`` on one device."""
    kind = device.partition(":")[0]
    side = _PEAK_SIDE[kind]
    a, b = (torch.randn(side, side, dtype=PRECISIONS[precision], device=device) for _ in range(2))
    best, end = 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        start = time.perf_counter()
        for _ in range(8):
            torch.mm(a, b)
        if kind == "cuda":
            torch.cuda.synchronize(device)
        best = max(best, 8 * 2 * side**3 / (time.perf_counter() - start))
    return best


class InProcess:
    """The engine of an installed encoder.

    Args:
        folder: version folder of the model.
        shape: its size.
    """

    def __init__(self, folder: Path, shape: Shape) -> None:
        self._shape = shape
        self.engine: Engine = load_engine(folder, Manifest.read(folder).artefact)

    def tokens_per_s(self, rows: int, length: int, seconds: float) -> float:
        """Measures all devices and workers, with micro-batches of one shape."""
        ids = np.random.default_rng(0).integers(4, 1000, (rows, length))
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        workers = [
            self.engine.worker(device)
            for device in range(len(self.engine.devices))
            for _ in range(self.engine.workers_per_device)
        ]
        with ThreadPoolExecutor(len(workers)) as pool:
            list(pool.map(lambda compute: _repeat(compute, feed, _WARM_UP_S), workers))
            start = time.monotonic()
            computed = sum(pool.map(lambda compute: _repeat(compute, feed, seconds), workers))
            return computed * rows * length / (time.monotonic() - start)

    def flops(self, tokens_per_s: float, length: int) -> float:
        """Returns the floating-point operations per second of a throughput."""
        return self._shape.flop(1, length) * tokens_per_s


def _repeat(compute: Compute, feed: Feed, seconds: float) -> int:
    """Computes for ``seconds``; returns how often."""
    number, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        compute(feed)
        number += 1
    return number
