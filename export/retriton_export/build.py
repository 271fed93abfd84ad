"""Builds, verifies and installs the artefact of a checkpoint."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from retriton_export.checkpoint import Checkpoint
from retriton_export.errors import UnsupportedCheckpoint
from retriton_export.recipes import GRAPH_FILE, PLANS, Recipe, describe
from retriton_serving.contract.manifest import MANIFEST_FILE, TOKENIZER_FILE, Artefact, Manifest
from retriton_serving.contract.models import CROSS_ENCODER, ENCODER
from retriton_serving.contract.verification import check_digests, sha256
from retriton_serving.engines import Compute, load_engine

if TYPE_CHECKING:
    from retriton_export.model_kinds import ModelKind

_TOOLS = (
    *("torch", "transformers", "onnx", "onnxscript", "tokenizers"),
    *("onnxruntime", "onnxruntime-gpu", "openvino", "nncf", "tensorrt", "tensorrt-rtx-cu12-bindings"),
)
OnStep = Callable[[str], None]


def export_encoder(
    checkpoint: Checkpoint,
    model_repository: Path,
    recipe: Recipe | None = None,
    force: bool = False,
    on_step: OnStep = lambda step: None,
) -> tuple[Manifest, bool]:
    """Exports the checkpoint as the model ``encoder`` or ``cross_encoder`` of the repository.

    An export is skipped if the same checkpoint is already installed and undamaged, with the same recipe and the same
    versions of the tools. An installed artefact is replaced only after the new one has passed the parity gate.

    Args:
        checkpoint: checkpoint to export.
        model_repository: folder that Triton serves.
        recipe: engine and precision; None selects the fastest lossless recipe of this machine.
        force: whether to export even if the artefact is already installed, or the checkpoint was tuned and not shown
            to be better.
        on_step: receives a description of each step when it begins.

    Returns:
        The manifest, and whether the artefact was built.

    Raises:
        UnsupportedCheckpoint: the checkpoint cannot be exported, or ``model_repository`` is not one of Retriton.
        NotAccepted: the checkpoint was tuned, and not shown to be better; ``force`` exports it.
        ParityError: the artefact did not pass the parity gate.
        ExportError: a package or a GPU that the recipe requires is missing.
    """
    recipe = recipe or Recipe.choose()
    target = model_repository / (CROSS_ENCODER if checkpoint.is_cross_encoder else ENCODER) / "1"
    if not target.is_dir():
        raise UnsupportedCheckpoint(
            f"{target} does not exist: {model_repository} is not a model repository of Retriton"
        )
    if not force:
        checkpoint.check_accepted()
    on_step("reading the checkpoint")
    sums = checkpoint.file_sums()
    tools = _tools()
    present = installed(target)
    if present and not present.golden:  # of an older version: a server cannot verify it
        present = None
    wanted = (checkpoint.fingerprint(sums), tools)
    is_wanted = present and recipe.is_recipe_of(present.artefact)
    if present and is_wanted and not force and wanted == (present.encoder.fingerprint, present.tools):
        return present, False
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as scratch:
        manifest = _build(checkpoint, Path(scratch), target, recipe, sums, tools, on_step)
        on_step("installing")
        _install(Path(scratch), target)
    return manifest, True


def installed(folder: Path) -> Manifest | None:
    """Reads the manifest in the version folder of a model; None if there is none, or a file is damaged."""
    try:
        manifest = Manifest.read(folder)
        check_digests(folder, manifest)
    except (FileNotFoundError, ValueError):
        return None  # missing, damaged, or written by an older version
    return manifest


def _tools() -> dict[str, str]:
    versions = {}
    for tool in _TOOLS:
        try:
            versions[tool] = version(tool)
        except PackageNotFoundError:
            continue
    return versions


def _build(
    checkpoint: Checkpoint,
    folder: Path,
    target: Path,
    recipe: Recipe,
    sums: dict[str, str],
    tools: dict[str, str],
    on_step: OnStep,
) -> Manifest:
    from retriton_export import model_kinds  # PyTorch takes seconds to import

    on_step("loading the checkpoint into PyTorch")
    pad_token_id, with_types = _save_tokenizer(checkpoint, folder)
    kind = model_kinds.load(checkpoint, folder / TOKENIZER_FILE, pad_token_id, with_types)
    artefact, compute = _make_artefact(recipe, kind, folder, target.parent.parent, checkpoint.max_tokens, on_step)
    on_step("comparing with PyTorch")
    report = kind.compare(compute, recipe.precision)
    report.check()
    manifest = Manifest(
        encoder=checkpoint.spec(sums, kind.dimension(), pad_token_id),
        artefact=artefact,
        source={"checkpoint": checkpoint.name, "revision": checkpoint.revision, "sha256": sums},
        tools=tools,
        parity={**asdict(report), "summary": report.summary(), "computed_with": _computed_with(recipe)},
        tokenizer_sha256=sha256(folder / TOKENIZER_FILE),
        golden=kind.golden(compute, recipe.precision),
    )
    manifest.write(folder)
    return manifest


def _make_artefact(
    recipe: Recipe, kind: ModelKind, folder: Path, model_repository: Path, tokens_max: int, on_step: OnStep
) -> tuple[Artefact, Compute]:
    """Writes the artefact into ``folder``; returns its description, and the function that the gate compares."""
    from retriton_export import graph

    model = graph.in_precision(kind.model, recipe.precision) if recipe.engine != "openvino" else kind.model
    if recipe.engine == "torch":
        from retriton_export import torch_program

        on_step(f"exporting to {recipe}")
        torch_program.export_program(model, folder / torch_program.PROGRAM_FILE, len(kind.inputs), tokens_max)
        artefact = describe(recipe, folder, torch_program.PROGRAM_FILE, 0, others=(TOKENIZER_FILE,))
        return artefact, load_engine(folder, artefact).worker()
    capabilities = _capabilities(recipe)  # before the work: it may be impossible here
    on_step("exporting to ONNX")
    graph.export_onnx(model, folder / GRAPH_FILE, kind.inputs, kind.output)
    on_step(f"building {recipe}")
    file = recipe.build(folder, kind.calibration)
    if recipe.engine not in PLANS:
        artefact = describe(recipe, folder, file, graph.OPSET, others=(TOKENIZER_FILE,))
        return artefact, load_engine(folder, artefact).worker()
    of_graph = _compute_graph(folder / file, recipe) if recipe.engine == "tensorrt-rtx" else None
    file = _build_plan(folder / file, recipe, kind.lanes, capabilities, model_repository, tokens_max)
    artefact = describe(recipe, folder, file, graph.OPSET, (TOKENIZER_FILE,), capabilities)
    return artefact, of_graph or load_engine(folder, artefact).worker()


def _compute_graph(graph: Path, recipe: Recipe) -> Compute:
    """A plan for other GPUs cannot run here. Its graph can, and servers compare the plan's outputs with its."""
    from retriton_serving.engines.onnx_runtime import OnnxRuntimeEngine

    return OnnxRuntimeEngine(graph, recipe.precision).worker()


def _computed_with(recipe: Recipe) -> str:
    return "onnxruntime, the graph of the plan" if recipe.engine == "tensorrt-rtx" else recipe.engine


def _capabilities(recipe: Recipe) -> tuple[str, ...]:
    if recipe.engine not in PLANS:
        return ()
    from retriton_export import tensorrt_plan

    return tensorrt_plan.target_capabilities(recipe.engine, recipe.compute_capabilities)


def _build_plan(
    graph: Path,
    recipe: Recipe,
    lanes: Sequence[str],
    capabilities: Sequence[str],
    model_repository: Path,
    tokens_max: int,
) -> str:
    """Builds the plan, deletes the graph, and returns the plan's file name."""
    from retriton_export import plan_profiles, tensorrt_plan

    limits = [plan_profiles.MicroBatchMax.of(model_repository / lane) for lane in lanes]
    shapes = plan_profiles.profiles(limits, tokens_max)
    plan = tensorrt_plan.build_plan(graph, recipe.engine, shapes, capabilities)
    for file in graph.parent.glob(f"{graph.name}*"):
        file.unlink()
    return plan.name


def _save_tokenizer(checkpoint: Checkpoint, folder: Path) -> tuple[int, bool]:
    """Writes ``tokenizer.json`` without padding and truncation.

    Returns:
        The id of the padding token, and whether the tokenizer returns token types.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(checkpoint.folder, local_files_only=True)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise UnsupportedCheckpoint(f"the tokenizer of {checkpoint.folder} cannot be loaded: {error}") from error
    if not tokenizer.is_fast:
        raise UnsupportedCheckpoint(f"{checkpoint.folder} has no fast tokenizer (tokenizer.json)")
    if tokenizer.pad_token_id is None:
        raise UnsupportedCheckpoint(f"the tokenizer of {checkpoint.folder} has no padding token")
    backend = tokenizer.backend_tokenizer
    backend.no_padding()
    backend.no_truncation()
    backend.save(str(folder / TOKENIZER_FILE))
    return int(tokenizer.pad_token_id), "token_type_ids" in tokenizer.model_input_names


def _install(built: Path, target: Path) -> None:
    """Moves the files into place. Without a manifest nothing counts as installed, so it is moved last."""
    (target / MANIFEST_FILE).unlink(missing_ok=True)
    for stale in target.iterdir():
        if stale.is_file() and stale.name != "model.py":
            stale.unlink()
    for file in sorted(built.iterdir(), key=lambda file: file.name == MANIFEST_FILE):
        file.replace(target / file.name)
