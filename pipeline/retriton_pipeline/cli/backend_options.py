"""Options of the store and the LLM; they need nothing of the library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from retriton_pipeline.defaults import DEFAULT_MILVUS

CONNECTION_PANEL = "Connection"
_LLM = "LLM"

Milvus = Annotated[
    str,
    typer.Option(
        envvar="RETRITON_MILVUS_URI",
        help="A file for Milvus Lite, or http://host:port of a Milvus server.",
        rich_help_panel=CONNECTION_PANEL,
    ),
]
MilvusToken = Annotated[
    str,
    typer.Option(
        envvar="RETRITON_MILVUS_TOKEN",
        help="user:password or an API key of the Milvus server.",
        rich_help_panel=CONNECTION_PANEL,
    ),
]
Collection = Annotated[
    str,
    typer.Option(
        envvar="RETRITON_COLLECTION", help="The name of the collection in Milvus.", rich_help_panel=CONNECTION_PANEL
    ),
]


@dataclass(frozen=True)
class StoreFields:
    """The store."""

    milvus: Milvus = DEFAULT_MILVUS
    milvus_token: MilvusToken = ""
    collection: Collection = "documents"


@dataclass(frozen=True)
class LLMFields:
    """An OpenAI-compatible chat endpoint."""

    llm_url: Annotated[
        str,
        typer.Option(
            envvar="RETRITON_LLM_URL", help="An OpenAI-compatible endpoint, ending in /v1.", rich_help_panel=_LLM
        ),
    ] = ""
    llm_model: Annotated[
        str,
        typer.Option(envvar="RETRITON_LLM_MODEL", help="The model's name at that endpoint.", rich_help_panel=_LLM),
    ] = ""
    llm_api_key: Annotated[
        str, typer.Option(envvar="RETRITON_LLM_API_KEY", help="The endpoint's API key.", rich_help_panel=_LLM)
    ] = "none"
    llm_timeout: Annotated[
        float,
        typer.Option(
            envvar="RETRITON_LLM_TIMEOUT",
            help="Seconds until the answer begins, and between its parts.",
            rich_help_panel=_LLM,
        ),
    ] = 60.0
