"""What computes vectors from token ids where the server has no backend of its own for it.

An engine is loaded once and gives each worker thread a function of its own.
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
        precision: what it really computes in, which may be more exact than what was asked for.
    """

    precision: str

    def worker(self) -> Compute:
        """The graph's inputs by name, int64 ``[n, longest]`` each, to its output, float32; for one thread at a time.

        Each call computes on one core; workers may run side by side.
        """


class EngineMissing(RuntimeError):
    """The runtime of an artefact is not installed, or cannot run here."""


def load_engine(folder: Path, artefact: Artefact) -> Engine:
    """Loads the artefact in ``folder``.

    Raises:
        EngineMissing: its runtime is not installed here.
    """
    if artefact.engine == "onnxruntime":
        from retriton_serving.engines.onnx_runtime import OnnxRuntimeEngine

        return OnnxRuntimeEngine(folder / artefact.file, artefact.precision)
    if artefact.engine == "openvino":
        from retriton_serving.engines.open_vino import OpenVinoEngine

        return OpenVinoEngine(folder / artefact.file, artefact.precision)
    raise EngineMissing(
        f"{artefact.file} is for {artefact.engine}, which only a full Triton runs: start it with the variant "
        f"{artefact.engine}, or export for another engine"
    )
