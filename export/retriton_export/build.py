"""From a checkpoint to an installed encoder: export, prove, install."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from retriton_export.checkpoint import Checkpoint
from retriton_export.errors import UnsupportedCheckpoint
from retriton_serving.manifest import MANIFEST_FILE, TOKENIZER_FILE, Artefact, Manifest
from retriton_serving.tokenization import RoleTokenizer

GRAPH_FILE = "model.onnx"
PRECISION = "fp32"
_TOOLS = ("torch", "transformers", "onnx", "onnxscript", "onnxruntime", "tokenizers")


def export_encoder(
    checkpoint: Checkpoint,
    model_repository: Path,
    force: bool = False,
    on_step: Callable[[str], None] = lambda step: None,
) -> tuple[Manifest, bool]:
    """Installs the checkpoint as the model ``encoder`` of the repository.

    Nothing is done when the same checkpoint is installed already, made by the same tools. What is installed is
    replaced only after the new artefact has passed the parity gate.

    Args:
        checkpoint: what to export.
        model_repository: the folder that Triton serves.
        force: export even if it is installed already.
        on_step: told what happens next, for people.

    Returns:
        The manifest, and whether anything was done.

    Raises:
        ExportError: see `retriton_export.errors`.
    """
    target = model_repository / "encoder" / "1"
    if not target.is_dir():
        raise UnsupportedCheckpoint(f"{model_repository} has no encoder/1: it is not a model repository of Retriton")
    on_step("reading the checkpoint")
    sums = checkpoint.file_sums()
    tools = {tool: version(tool) for tool in _TOOLS}
    installed = _installed(target)
    wanted = checkpoint.fingerprint(sums)
    if installed and installed.encoder.fingerprint == wanted and installed.tools == tools and not force:
        return installed, False
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as scratch:
        manifest = _build(checkpoint, Path(scratch), sums, tools, on_step)
        on_step("installing")
        _install(Path(scratch), target)
    return manifest, True


def is_installed(model_repository: Path) -> bool:
    """Whether a complete encoder is installed there."""
    return _installed(model_repository / "encoder" / "1") is not None


def _installed(target: Path) -> Manifest | None:
    try:
        manifest = Manifest.read(target)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None  # nothing there, or something an older version wrote: it is exported anew
    graph = target / manifest.artefact.file
    complete = graph.is_file() and graph.stat().st_size == manifest.artefact.size_bytes
    return manifest if complete and (target / TOKENIZER_FILE).is_file() else None


def _build(
    checkpoint: Checkpoint, folder: Path, sums: dict[str, str], tools: dict[str, str], on_step: Callable[[str], None]
) -> Manifest:
    from retriton_export import graph, parity  # PyTorch takes seconds to import

    on_step("loading the checkpoint into PyTorch")
    encoder = graph.load_encoder(checkpoint)
    pad_token_id = _save_tokenizer(checkpoint, folder)
    on_step("exporting to ONNX")
    graph.export_onnx(encoder, folder / GRAPH_FILE)
    on_step("comparing with PyTorch")
    session = parity.open_session(folder / GRAPH_FILE)
    tokenizer = RoleTokenizer(folder / TOKENIZER_FILE, checkpoint.prompts["passage"], checkpoint.max_tokens)
    texts = parity.sample_token_ids(tokenizer, checkpoint.max_tokens)
    report = parity.measure_parity(encoder, session, texts, pad_token_id, PRECISION)
    report.check()
    manifest = Manifest(
        encoder=checkpoint.spec(sums, encoder.dimension, pad_token_id),
        artefact=_describe(folder / GRAPH_FILE, graph.OPSET),
        source={"checkpoint": checkpoint.name, "revision": checkpoint.revision, "sha256": sums},
        tools=tools,
        parity=asdict(report),
    )
    manifest.write(folder)
    return manifest


def _save_tokenizer(checkpoint: Checkpoint, folder: Path) -> int:
    """Writes ``tokenizer.json`` without padding and truncation; returns the id that pads."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(checkpoint.folder, local_files_only=True)
    if not tokenizer.is_fast:
        raise UnsupportedCheckpoint(f"{checkpoint.folder} has no fast tokenizer (tokenizer.json)")
    if tokenizer.pad_token_id is None:
        raise UnsupportedCheckpoint(f"the tokenizer of {checkpoint.folder} has no padding token")
    backend = tokenizer.backend_tokenizer
    backend.no_padding()
    backend.no_truncation()
    backend.save(str(folder / TOKENIZER_FILE))
    return int(tokenizer.pad_token_id)


def _describe(graph: Path, opset: int) -> Artefact:
    with graph.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Artefact(graph.name, PRECISION, opset, graph.stat().st_size, digest)


def _install(built: Path, target: Path) -> None:
    """Moves the files into place, the manifest last: without it nothing counts as installed."""
    (target / MANIFEST_FILE).unlink(missing_ok=True)
    for file in sorted(built.iterdir(), key=lambda file: file.name == MANIFEST_FILE):
        file.replace(target / file.name)
