"""The manifest of an artefact, which the export writes and the server reads."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from operator import mul
from pathlib import Path
from typing import Any

FORMAT = 2
MANIFEST_FILE = "manifest.json"
TOKENIZER_FILE = "tokenizer.json"
LENGTH_TOLERANCE = 0.01  # of vectors of length one: engines of half precision normalise to about 0.001
EXPORT_AGAIN = "run `retriton export`, and restart the server"


@dataclass(frozen=True)
class EncoderSpec:
    """Properties of an encoder or a cross-encoder that its lanes need to prepare texts.

    Attributes:
        name: name of the checkpoint.
        fingerprint: hex digest of everything that defines the vector space (weights, tokenizer, pooling, prompts,
            maximum length); independent of engine and precision.
        dimension: number of values in a vector.
        max_tokens: maximum number of tokens of a text, including prefix and special tokens.
        pad_token_id: id of the padding token.
        pooling: ``mean``, ``cls`` or ``lasttoken``; ``score`` for a cross-encoder, whose dimension is 1.
        normalized: whether vectors have length one.
        prompts: prefix for each role, ``query`` and ``passage``; empty if the model has none.
        activation: class of ``torch.nn`` that maps a cross-encoder's output to its score; empty for an encoder.
    """

    name: str
    fingerprint: str
    dimension: int
    max_tokens: int
    pad_token_id: int
    pooling: str
    normalized: bool
    prompts: dict[str, str]
    activation: str = ""


@dataclass(frozen=True)
class Artefact:
    """Files that an engine loads.

    Attributes:
        engine: ``openvino``, ``onnxruntime``, ``torch``, ``tensorrt`` or ``tensorrt-rtx``.
        precision: ``fp32``, ``fp16``, ``bf16``, ``fp8`` or ``int8``.
        file: name of the file that the engine opens.
        opset: ONNX opset version of the graph.
        size_bytes: total size of the file and the files that it refers to.
        sha256: hex digest of each of these files, by name.
        compute_capabilities: of the GPUs that a TensorRT plan is for, such as ``8.9``; empty for other engines, and in
            the manifest of an older version.
    """

    engine: str
    precision: str
    file: str
    opset: int
    size_bytes: int
    sha256: dict[str, str]
    compute_capabilities: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class GoldenOutput:
    """An output that the artefact had when it was exported, to compare a served model with.

    Attributes:
        lane: model that computes it: ``embed_query``, ``embed_passage`` or ``rerank``.
        texts: one text; for ``rerank``, a query and a passage.
        values: the vector, or the score as its only value.
        tolerance: least cosine with a vector, or largest difference of a score.
    """

    lane: str
    texts: list[str]
    values: list[float]
    tolerance: float

    def difference(self, found: Sequence[float]) -> str:
        """Returns what is wrong with an output, or an empty string if it is within the tolerance."""
        if len(found) != len(self.values):
            return f"it has {len(found)} values, the manifest has {len(self.values)}"
        if len(found) == 1:
            off = abs(found[0] - self.values[0])
            close = off <= self.tolerance  # false for NaN
            return (
                "" if close else f"it is {found[0]:.4f}, the manifest has {self.values[0]:.4f} ± {self.tolerance:.4f}"
            )
        cosine = sum(map(mul, found, self.values)) / (math.hypot(*found) * math.hypot(*self.values) or math.nan)
        close = cosine >= self.tolerance
        return "" if close else f"its cosine with the manifest's is {cosine:.4f}, at least {self.tolerance} is expected"


@dataclass(frozen=True)
class Manifest:
    """Description of an installed encoder or cross-encoder.

    Attributes:
        encoder: properties that the lanes need.
        artefact: files that the engine loads.
        source: origin of the weights (checkpoint, revision, sha256).
        tools: versions of the packages that built the artefact.
        parity: report of the parity gate.
        tokenizer_sha256: hex digest of ``tokenizer.json``; empty in the manifest of an older version.
        golden: outputs to compare a served model with; none in the manifest of an older version.
    """

    encoder: EncoderSpec
    artefact: Artefact
    source: dict[str, Any] = field(default_factory=dict)
    tools: dict[str, str] = field(default_factory=dict)
    parity: dict[str, Any] = field(default_factory=dict)
    tokenizer_sha256: str = ""
    golden: list[GoldenOutput] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        """Writes ``manifest.json`` into ``folder``."""
        document = {"format": FORMAT, **asdict(self)}
        (folder / MANIFEST_FILE).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def missing(cls, folder: Path) -> str:
        """Returns an error message if ``folder`` has no manifest, otherwise an empty string."""
        if (folder / MANIFEST_FILE).is_file():
            return ""
        return f"no {folder.parent.name} is installed: run `retriton export`, then restart the server"

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Reads ``manifest.json`` from ``folder``.

        Raises:
            FileNotFoundError: ``folder`` has no manifest.
            ValueError: the manifest cannot be read, is damaged, or has a format that this version does not read.
        """
        path = folder / MANIFEST_FILE
        if not path.is_file() and not path.is_symlink():
            raise FileNotFoundError(f"no {folder.parent.name} is installed in {folder}: run `retriton export` first")
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(f"{path} cannot be read ({error}): {EXPORT_AGAIN}") from error
        found = document.get("format") if isinstance(document, dict) else None
        if found != FORMAT:
            raise ValueError(f"{path} has format {found}, this version reads {FORMAT}: {EXPORT_AGAIN}")
        try:
            return cls(
                encoder=EncoderSpec(**document["encoder"]),
                artefact=Artefact(**document["artefact"]),
                source=document["source"],
                tools=document["tools"],
                parity=document["parity"],
                tokenizer_sha256=document.get("tokenizer_sha256", ""),
                golden=[GoldenOutput(**output) for output in document.get("golden", [])],
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path} is damaged ({type(error).__name__}: {error}): {EXPORT_AGAIN}") from error
