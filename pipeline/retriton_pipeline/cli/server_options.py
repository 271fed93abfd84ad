"""Options of commands that start or fill a server; they need nothing of the library."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ModelRepository = Annotated[
    Path | None,
    typer.Option(
        envvar="RETRITON_MODEL_REPOSITORY", help="The model repository. Default: one in the user's data folder."
    ),
]
ServerEnv = Annotated[
    Path | None,
    typer.Option(
        envvar="RETRITON_SERVER_ENV",
        help="The server's environment, from `retriton setup`. Default: one in the user's data folder.",
    ),
]
