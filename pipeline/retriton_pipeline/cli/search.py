"""`retriton search`."""

from __future__ import annotations

from typing import Annotated

import typer

from retriton_pipeline.cli.history import read_history
from retriton_pipeline.cli.option_groups import expand
from retriton_pipeline.cli.options import (
    CONNECTION,
    LLM_OPTIONS,
    SEARCH_OPTIONS,
    Connection,
    History,
    Json,
    LLMOptions,
)
from retriton_pipeline.cli.output import print_json, print_passages, warn_of_truncation
from retriton_pipeline.retrieval import SearchOptions


@expand(options=SEARCH_OPTIONS, connection=CONNECTION, llm=LLM_OPTIONS)
def search(
    text: Annotated[str, typer.Argument(help="The search query.")],
    options: SearchOptions,
    connection: Connection,
    llm: LLMOptions,
    history: History = None,
    json_: Json = False,
) -> None:
    """Print the best passages for a query, best first.

    With an LLM, a follow-up question (--history) is rewritten before it is searched.
    """
    with connection.rag(llm.llm) as rag:
        found = rag.retrieve(text, history=read_history(history), **options.model_dump())
    warn_of_truncation(found.tokens_dropped)
    if json_:
        print_json(found.as_json())
    else:
        print_passages(found.passages)
