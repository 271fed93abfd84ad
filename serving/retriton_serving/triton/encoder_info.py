"""The Triton model `encoder_info`: what is served, so that clients need no copy of the checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from retriton_serving.contract.manifest import MANIFEST_FILE, TOKENIZER_FILE


class TritonPythonModel:
    """Gives out ``manifest.json`` and ``tokenizer.json`` of the encoder beside it, and the cross-encoder's manifest."""

    def initialize(self, args: dict[str, str]) -> None:
        """Reads the files once: they change only with the encoder."""
        models = Path(args["model_repository"]).parent
        encoder, cross_encoder = models / "encoder" / "1", models / "cross_encoder" / "1" / MANIFEST_FILE
        contents = {
            "manifest": (encoder / MANIFEST_FILE).read_bytes(),
            "tokenizer": (encoder / TOKENIZER_FILE).read_bytes(),
            "cross_encoder": cross_encoder.read_bytes() if cross_encoder.is_file() else b"",
        }
        self._files = {name: np.array([content], np.object_) for name, content in contents.items()}

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answers each request with the outputs that it names."""
        return [
            pb_utils.InferenceResponse(
                [pb_utils.Tensor(name, self._files[name]) for name in request.requested_output_names()]
            )
            for request in requests
        ]
