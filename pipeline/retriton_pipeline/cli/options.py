"""Options that several commands share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from retriton_client import Retry, Tls
from retriton_pipeline.cli.backend_options import (
    CONNECTION_PANEL,
    Collection,
    LLMFields,
    Milvus,
    MilvusToken,
)
from retriton_pipeline.cli.option_groups import of_dataclass, of_model
from retriton_pipeline.defaults import DEFAULT_MILVUS
from retriton_pipeline.errors import InvalidOption
from retriton_pipeline.generation import LLM
from retriton_pipeline.rag import Rag
from retriton_pipeline.rag.asynchronous import DEFAULT_URL
from retriton_pipeline.retrieval import SearchOptions
from retriton_pipeline.store.names import check_name

_INTERACTIVE_RETRY = Retry(attempts_max=4)  # an unreachable server is reported within a second

Url = Annotated[
    str,
    typer.Option(
        envvar="RETRITON_URL",
        help="host:port of the server's gRPC endpoint. RETRITON_TLS_CA encrypts the connection.",
        rich_help_panel=CONNECTION_PANEL,
    ),
]
NextUrl = Annotated[
    str,
    typer.Option(
        envvar="RETRITON_NEXT_URL",
        help="host:port of a server with another encoder, for collections made with it; see `retriton switch`.",
        rich_help_panel=CONNECTION_PANEL,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
History = Annotated[
    Path | None,
    typer.Option(
        help='The conversation before the query: a JSON file, [{"role": "user", "content": "..."}, ...], oldest first.'
    ),
]


@dataclass(frozen=True)
class Connection:
    """The server, and the collection."""

    url: Url = DEFAULT_URL
    milvus: Milvus = DEFAULT_MILVUS
    milvus_token: MilvusToken = ""
    collection: Collection = "documents"
    next_url: NextUrl = ""

    def __post_init__(self) -> None:
        check_name(self.collection)

    def rag(self, llm: LLM | None = None, **settings: Any) -> Rag:
        """The library on this connection; ``settings`` are further arguments of `Rag`."""
        return Rag(
            self.url,
            self.milvus,
            self.collection,
            milvus_token=self.milvus_token,
            llm=llm,
            retry=_INTERACTIVE_RETRY,
            tls=Tls.from_environment(),
            next_url=self.next_url,
            **settings,
        )


@dataclass(frozen=True)
class LLMOptions(LLMFields):
    """An OpenAI-compatible chat endpoint."""

    @property
    def llm(self) -> LLM | None:
        """The LLM; None if none is named.

        Raises:
            InvalidOption: only one of URL and model is given.
        """
        if self.llm_url and not self.llm_model:
            raise InvalidOption("--llm-url needs --llm-model: the model's name at that endpoint")
        if self.llm_model and not self.llm_url:
            raise InvalidOption("--llm-model needs --llm-url: the endpoint that serves it")
        return LLM(self.llm_url, self.llm_model, self.llm_api_key, self.llm_timeout) if self.llm_url else None


CONNECTION = of_dataclass(Connection)
LLM_OPTIONS = of_dataclass(LLMOptions)
SEARCH_OPTIONS = of_model(
    SearchOptions, SearchOptions.of, "Search", short={"top_k": "-k"}, variables={"mode": "RETRITON_MODE"}
)
