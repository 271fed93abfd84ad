"""The model `encoder` with an engine that costs nothing, for `bench.front`: its vectors are zeros.

This file takes the place of ``encoder/1/model.py`` in a copy of the model repository. Everything else is what is
served: requests, tokenization, queues, messages between the processes.
"""

from pathlib import Path

import numpy as np

from retriton_serving.contract.manifest import Artefact, Manifest
from retriton_serving.engines import Compute, Engine
from retriton_serving.triton import encoder
from retriton_serving.triton.encoder import TritonPythonModel

__all__ = ["TritonPythonModel"]


class _NullEngine:
    precision = "null"

    def __init__(self, folder: Path) -> None:
        self._dimension = Manifest.read(folder).encoder.dimension

    def worker(self) -> Compute:
        return lambda feed: np.zeros((len(feed["input_ids"]), self._dimension), np.float32)


def _load_null_engine(folder: Path, artefact: Artefact) -> Engine:
    return _NullEngine(folder)


encoder.load_engine = _load_null_engine
