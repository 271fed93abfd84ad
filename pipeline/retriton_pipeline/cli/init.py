"""`retriton init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from retriton_serving.launcher import create_repository


def init(folder: Annotated[Path, typer.Argument(help="A new or empty folder.")]) -> None:
    """Write a model repository to edit: Triton's configuration of each model.

    Export an encoder into it, and serve it, with `--model-repository`, or set RETRITON_MODEL_REPOSITORY.
    """
    create_repository(folder)
    typer.echo(
        f"wrote {folder}. Next: retriton export --model-repository {folder}, "
        f"then retriton serve --model-repository {folder}"
    )
