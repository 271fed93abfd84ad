"""The model `encoder` with an engine that costs nothing, for `bench.front`: its vectors are all the same.

This file takes the place of ``encoder/1/model.py`` in a copy of the model repository. Everything else is what is
served: requests, tokenization, queues, messages between the processes.
"""

from pathlib import Path

import numpy as np

from retriton_serving.batching.cores import usable_cores
from retriton_serving.contract.manifest import Artefact, Manifest
from retriton_serving.engines import Compute, Engine
from retriton_serving.triton import encoder
from retriton_serving.triton.encoder import TritonPythonModel

__all__ = ["TritonPythonModel"]


class _NullEngine:
    """Gives a vector of length one for each text."""

    precision = "null"
    devices: tuple[str, ...] = ("cpu",)
    workers_per_device = usable_cores()

    def __init__(self, folder: Path) -> None:
        self._vector = np.eye(1, Manifest.read(folder).encoder.dimension, dtype=np.float32)

    def worker(self, device: int = 0, for_queries: bool = False) -> Compute:
        return lambda feed: np.broadcast_to(self._vector, (len(feed["input_ids"]), self._vector.shape[1]))


def _load_null_engine(folder: Path, artefact: Artefact) -> Engine:
    return _NullEngine(folder)


encoder.load_engine = _load_null_engine  # type: ignore[attr-defined]
