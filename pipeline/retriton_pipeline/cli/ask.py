"""`retriton ask`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from retriton_pipeline.cli.escaping import visible_lines
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
from retriton_pipeline.cli.output import place_of, print_json, warn_of_truncation
from retriton_pipeline.generation import DEFAULT_TEMPLATE
from retriton_pipeline.rag import Answer, Rag
from retriton_pipeline.retrieval import SearchOptions, Turn


@expand(options=SEARCH_OPTIONS, connection=CONNECTION, llm=LLM_OPTIONS)
def ask(
    text: Annotated[str, typer.Argument(help="The question.")],
    options: SearchOptions,
    connection: Connection,
    llm: LLMOptions,
    history: History = None,
    prompt_tokens: Annotated[int, typer.Option(help="Token budget of the prompt.")] = 2048,
    prompt_tokenizer: Annotated[
        str,
        typer.Option(help="The LLM's tokenizer.json, or its id on the hub. Default: the served encoder's tokenizer."),
    ] = "",
    template: Annotated[
        Path, typer.Option(help="A Jinja template with `question`, `passages` and `history`.")
    ] = DEFAULT_TEMPLATE,
    json_: Json = False,
) -> None:
    """Answer a question from the documents.

    Without an LLM, the prompt is printed. With --history, follow-up questions are understood.
    """
    turns = read_history(history)
    settings = {"prompt_tokens": prompt_tokens, "prompt_tokenizer": prompt_tokenizer, "template": template}
    with connection.rag(llm.llm, **settings) as rag:
        if not llm.llm:
            prompted = rag.prompt(text, history=turns, **options.model_dump())
            warn_of_truncation(prompted.tokens_dropped)
            print_json(prompted.as_json()) if json_ else typer.echo(visible_lines(prompted.prompt.text))
        elif json_:
            answer = rag.answer(text, history=turns, **options.model_dump())
            warn_of_truncation(answer.prompted.tokens_dropped)
            print_json(answer.as_json())
        else:
            _print_answer(rag, text, turns, options)


def _print_answer(rag: Rag, text: str, turns: list[Turn], options: SearchOptions) -> None:
    """Prints the answer as it is generated, and its sources."""
    stream = rag.stream(text, history=turns, **options.model_dump())
    warn_of_truncation(stream.prompted.tokens_dropped)
    for delta in stream:
        typer.echo(visible_lines(delta.text), nl=False)
    typer.echo("\n")
    _print_sources(stream.answer)


def _print_sources(answer: Answer) -> None:
    """The passages that the answer cites, or, if it cites none, those that it was given."""
    for number in answer.citations or range(1, len(answer.passages) + 1):
        typer.echo(f"[{number}] {place_of(answer.passages[number - 1])}")
    if not answer.citations:
        typer.echo("(the answer cites none of these passages)")
