"""In-process engines, for Triton installations without a native backend for the artefact.

An engine is loaded once and returns one compute function per worker thread.
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
    """

    precision: str

    def worker(self) -> Compute:
        """Returns a function from the inputs, int64 ``[n, longest]`` each, to the output, float32 ``[n, dimension]``.

        The function computes on one core, for one thread at a time. Several workers may compute in parallel.
        """


class EngineMissing(RuntimeError):
    """The runtime of an artefact is not installed, or requires a full Triton."""


def load_engine(folder: Path, artefact: Artefact) -> Engine:
    """Loads the artefact in ``folder``.

    Raises:
        EngineMissing: the artefact requires a full Triton.
    """
    if artefact.engine == "onnxruntime":
        from retriton_serving.engines.onnx_runtime import OnnxRuntimeEngine

        return OnnxRuntimeEngine(folder / artefact.file, artefact.precision)
    if artefact.engine == "openvino":
        from retriton_serving.engines.open_vino import OpenVinoEngine

        return OpenVinoEngine(folder / artefact.file, artefact.precision)
    raise EngineMissing(
        f"{artefact.file} is for {artefact.engine}, which only a full Triton runs: start one with the variant "
        f"{artefact.engine}, or export for another engine"
    )
