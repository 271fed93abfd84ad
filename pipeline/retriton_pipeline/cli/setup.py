"""`retriton setup`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from retriton_pipeline.cli.progress import steps
from retriton_serving.launcher import create_server_env


def setup(
    python: Annotated[
        str | None,
        typer.Option(
            help="Interpreter for the server: a version, a command or a path. Default: the one that runs this command, "
            "else 3.12 or 3.11 with a shared libpython, else one that uv installs, else 3.13 (NumPy is compiled)."
        ),
    ] = None,
    server_env: Annotated[
        Path | None,
        typer.Option(envvar="RETRITON_SERVER_ENV", help="Its folder. Default: in the user's data folder."),
    ] = None,
    constraint: Annotated[
        Path | None, typer.Option(envvar="RETRITON_CONSTRAINT", help="A file of constraints for pip.")
    ] = None,
    gpu: Annotated[
        bool | None,
        typer.Option(
            "--gpu/--no-gpu",
            help="Whether it has the engines for NVIDIA GPUs: PyTorch, ONNX Runtime with CUDA, TensorRT (several GB). "
            "Default: as it is.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Create the environment of the Triton server, or bring it up to date.

    Triton's Python backend needs NumPy below 2, so it has an environment of its own. It is created with uv, if that is
    installed, else with venv and pip, which read their usual configuration. `serve` and `demo` create it, too, where
    it is missing.
    """
    with steps() as on_step:
        environment = create_server_env(server_env, python=python, constraint=constraint, gpu=gpu, on_step=on_step)
    typer.echo(f"the server's environment is ready: {environment}")
