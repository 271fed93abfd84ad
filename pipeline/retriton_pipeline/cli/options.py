"""Options that several commands share. Each also has an environment variable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from retriton_client import Retry

IMPATIENT = Retry(attempts_max=4)  # somebody waits at the terminal: a missing server is named within a second
DEFAULT_MILVUS = ".retriton/milvus.db"
DEFAULT_REPOSITORY = Path("model_repository")
DEFAULT_SERVER_ENV = Path(".venv-server")

Url = Annotated[
    str, typer.Option(envvar="RETRITON_URL", help="host:port of the server's gRPC endpoint.", show_default=True)
]
Milvus = Annotated[
    str,
    typer.Option(envvar="RETRITON_MILVUS_URI", help="A file for Milvus Lite, or http://host:port of a Milvus server."),
]
MilvusToken = Annotated[
    str, typer.Option(envvar="RETRITON_MILVUS_TOKEN", help="user:password or API key of a Milvus server.")
]
Collection = Annotated[str, typer.Option(envvar="RETRITON_COLLECTION", help="The collection of chunks in Milvus.")]
TopK = Annotated[int, typer.Option("--top-k", "-k", help="How many passages.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
ModelRepository = Annotated[
    Path, typer.Option(envvar="RETRITON_MODEL_REPOSITORY", help="The folder that Triton serves.")
]
ServerEnv = Annotated[
    Path,
    typer.Option(envvar="RETRITON_SERVER_ENV", help="The environment with nvidia-pytriton and retriton[serving]."),
]
