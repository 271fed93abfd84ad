"""The Triton model `encoder_info`: manifests and tokenizer, so that clients need no copy of the checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from retriton_serving.contract.manifest import MANIFEST_FILE, TOKENIZER_FILE
from retriton_serving.contract.models import CROSS_ENCODER, ENCODER


class TritonPythonModel:
    """Returns ``manifest.json`` and ``tokenizer.json`` of the encoder, and the manifest of the cross-encoder."""

    def initialize(self, args: dict[str, str]) -> None:
        """Reads the files once; a new encoder needs a restart."""
        models = Path(args["model_repository"]).parent
        encoder, cross_encoder = models / ENCODER / "1", models / CROSS_ENCODER / "1" / MANIFEST_FILE
        contents = {
            "manifest": (encoder / MANIFEST_FILE).read_bytes(),
            "tokenizer": (encoder / TOKENIZER_FILE).read_bytes(),
            "cross_encoder": cross_encoder.read_bytes() if cross_encoder.is_file() else b"",
        }
        self._files = {name: np.array([content], np.object_) for name, content in contents.items()}

    def execute(self, requests: list[Any]) -> list[Any]:
        """Returns the outputs that each request names."""
        return [
            pb_utils.InferenceResponse(
                [pb_utils.Tensor(name, self._files[name]) for name in request.requested_output_names()]
            )
            for request in requests
        ]
