"""The model `encoder` with an engine that costs nothing, for `bench.front`: its vectors are zeros.

This file takes the place of ``encoder/1/model.py`` in a copy of the model repository. Everything else is what is
served: requests, tokenization, queues, messages between the processes.
"""

from pathlib import Path

import numpy as np

from retriton_serving.contract.manifest import Manifest
from retriton_serving.triton import encoder
from retriton_serving.triton.encoder import TritonPythonModel

__all__ = ["TritonPythonModel"]


class _NullEngine:
    precision = "null"

    def __init__(self, dimension):
        self._dimension = dimension

    def worker(self):
        return lambda feed: np.zeros((len(feed["input_ids"]), self._dimension), np.float32)


encoder.load_engine = lambda folder, artefact: _NullEngine(Manifest.read(Path(folder)).encoder.dimension)
