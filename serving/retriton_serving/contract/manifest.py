"""The contract between the export and the server: one JSON file beside the engine."""

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
    """What a lane must know to turn text into the input of an encoder or a cross-encoder.

    Attributes:
        name: the checkpoint's name, for people.
        fingerprint: hex digest of all that decides the vectors (weights, tokenizer, pooling, prompts, length),
            and not of what does not (engine, precision).
        dimension: length of one vector.
        max_tokens: the most tokens of one text, prefix and special tokens included.
        pad_token_id: the id that fills a row up to the longest of its micro-batch.
        pooling: ``mean``, ``cls`` or ``lasttoken``; ``score`` for a cross-encoder, whose dimension is 1.
        normalized: whether vectors have length one.
        prompts: the prefix for each role, ``query`` and ``passage``; empty when the model wants none.
        activation: of a cross-encoder's score, a class of ``torch.nn``; empty for an encoder.
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
    """What an engine loads.

    Attributes:
        engine: ``onnxruntime``, ``openvino`` or ``tensorrt``.
        precision: ``fp32``, ``fp16``, ``bf16``, ``fp8`` or ``int8``.
        file: what the engine opens.
        opset: of the ONNX graph.
        size_bytes: of all its files.
        sha256: of each of its files, by name.
    """

    engine: str
    precision: str
    file: str
    opset: int
    size_bytes: int
    sha256: dict[str, str]


@dataclass(frozen=True)
class Manifest:
    """Everything known of an installed encoder.

    Attributes:
        encoder: what the server needs.
        artefact: the engine file.
        source: where the weights came from (checkpoint, revision, sha256).
        tools: versions of what made the artefact.
        parity: the report of the parity gate.
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
        """Why nothing is served from ``folder``; empty where a manifest is."""
        if (folder / MANIFEST_FILE).is_file():
            return ""
        return f"no {folder.parent.name} is installed: `retriton export` one, and start the server again"

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Reads ``manifest.json`` from ``folder``.

        Raises:
            FileNotFoundError: nothing is installed there.
            ValueError: it was written by an incompatible version.
        """
        path = folder / MANIFEST_FILE
        if not path.is_file():
            raise FileNotFoundError(f"no {folder.parent.name} is installed in {folder}: run `retriton export` first")
        document = json.loads(path.read_text(encoding="utf-8"))
        if document.get("format") != FORMAT:
            raise ValueError(f"{path} has format {document.get('format')}, this version reads {FORMAT}: export again")
        return cls(
            encoder=EncoderSpec(**document["encoder"]),
            artefact=Artefact(**document["artefact"]),
            source=document["source"],
            tools=document["tools"],
            parity=document["parity"],
        )
