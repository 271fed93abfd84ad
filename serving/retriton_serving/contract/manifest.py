"""The manifest of an artefact, which the export writes and the server reads."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FORMAT = 2
MANIFEST_FILE = "manifest.json"
TOKENIZER_FILE = "tokenizer.json"


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
        engine: ``onnxruntime``, ``openvino`` or ``tensorrt``.
        precision: ``fp32``, ``fp16``, ``bf16``, ``fp8`` or ``int8``.
        file: name of the file that the engine opens.
        opset: ONNX opset version of the graph.
        size_bytes: total size of the file and the files that it refers to.
        sha256: hex digest of each of these files, by name.
    """

    engine: str
    precision: str
    file: str
    opset: int
    size_bytes: int
    sha256: dict[str, str]


@dataclass(frozen=True)
class Manifest:
    """Description of an installed encoder or cross-encoder.

    Attributes:
        encoder: properties that the lanes need.
        artefact: files that the engine loads.
        source: origin of the weights (checkpoint, revision, sha256).
        tools: versions of the packages that built the artefact.
        parity: report of the parity gate.
    """

    encoder: EncoderSpec
    artefact: Artefact
    source: dict[str, Any] = field(default_factory=dict)
    tools: dict[str, str] = field(default_factory=dict)
    parity: dict[str, Any] = field(default_factory=dict)

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
            ValueError: the manifest has a format that this version does not read.
        """
        path = folder / MANIFEST_FILE
        if not path.is_file():
            raise FileNotFoundError(f"no {folder.parent.name} is installed in {folder}: run `retriton export` first")
        document = json.loads(path.read_text(encoding="utf-8"))
        if document.get("format") != FORMAT:
            raise ValueError(
                f"{path} has format {document.get('format')}, this version reads {FORMAT}: run `retriton export` again"
            )
        return cls(
            encoder=EncoderSpec(**document["encoder"]),
            artefact=Artefact(**document["artefact"]),
            source=document["source"],
            tools=document["tools"],
            parity=document["parity"],
        )
