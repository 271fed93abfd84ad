"""The Triton model `encoder_info`: manifests and tokenizer, so that clients need no copy of the checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
from numpy.typing import NDArray

from retriton_serving.contract.manifest import MANIFEST_FILE, TOKENIZER_FILE, Manifest
from retriton_serving.contract.models import CROSS_ENCODER, ENCODER
from retriton_serving.contract.verification import check_digests
from retriton_serving.triton.device_state import device_problems


class TritonPythonModel:
    """Returns the manifests and the tokenizer, and which devices of the encoders have failed."""

    def initialize(self, args: dict[str, str]) -> None:
        """Reads the files once, and compares all artefacts with their manifests; a new encoder needs a restart.

        This model is the same for every backend, and loads beside the others: it keeps Triton from serving a damaged
        artefact, whatever backend loads that, at the cost of no time where there is a core to spare.

        Raises:
            DamagedArtefact, FileNotFoundError, ValueError: an artefact or its manifest is damaged or missing.
        """
        models = Path(args["model_repository"]).parent
        for model in (ENCODER, CROSS_ENCODER):
            _verify(models / model / "1", required=model == ENCODER)
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
                [pb_utils.Tensor(name, self._answer(name)) for name in request.requested_output_names()]
            )
            for request in requests
        ]

    def _answer(self, name: str) -> NDArray[np.object_]:
        if name == "devices":
            return np.array([device_problems().encode()], np.object_)
        return self._files[name]


def _verify(folder: Path, required: bool) -> None:
    if not required and Manifest.missing(folder):
        return
    manifest = Manifest.read(folder)
    check_digests(folder, manifest)
    if not manifest.tokenizer_sha256:
        pb_utils.Logger.log_warn(
            f"{folder} was exported by an older version: its tokenizer and its vectors are not verified. "
            "Run `retriton export`."
        )
