"""The Triton model `encoder_info`: what is served, so that clients need no copy of the checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from retriton_serving.manifest import MANIFEST_FILE, TOKENIZER_FILE


class TritonPythonModel:
    """Gives out ``manifest.json`` and ``tokenizer.json`` of the encoder beside it."""

    def initialize(self, args: dict[str, str]) -> None:
        """Reads both files once: they change only with the encoder."""
        folder = Path(args["model_repository"]).parent / "encoder" / "1"
        self._files = {
            "manifest": np.array([(folder / MANIFEST_FILE).read_bytes()], np.object_),
            "tokenizer": np.array([(folder / TOKENIZER_FILE).read_bytes()], np.object_),
        }

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answers each request with the outputs that it names."""
        return [
            pb_utils.InferenceResponse(
                [pb_utils.Tensor(name, self._files[name]) for name in request.requested_output_names()]
            )
            for request in requests
        ]
