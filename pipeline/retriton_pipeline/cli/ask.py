"""`retriton ask`."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from retriton_client import Client
from retriton_pipeline.cli.options import DEFAULT_MILVUS, IMPATIENT, Collection, Json, Milvus, MilvusToken, TopK, Url
from retriton_pipeline.cli.search import opened, passages_json, rounded, warn_of_truncation
from retriton_pipeline.errors import PipelineError
from retriton_pipeline.llm import LLM
from retriton_pipeline.prompt import DEFAULT_TEMPLATE, Prompt, PromptBuilder
from retriton_pipeline.retrieve import Retriever
from retriton_pipeline.tokens import TokenCounter


@dataclass(frozen=True)
class Assembled:
    """A prompt, and the milliseconds of every stage that led to it."""

    question: str
    prompt: Prompt
    latency_ms: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """For programs; the passages are those in the prompt, in the order of their numbers."""
        return {
            "question": self.question,
            "passages": passages_json(self.prompt.hits),
            "prompt": self.prompt.text,
            "latency_ms": rounded(self.latency_ms),
        }


def ask(
    text: Annotated[str, typer.Argument(help="The question.")],
    url: Url = "127.0.0.1:8001",
    milvus: Milvus = DEFAULT_MILVUS,
    milvus_token: MilvusToken = "",
    collection: Collection = "documents",
    top_k: TopK = 5,
    prompt_tokens: Annotated[int, typer.Option(help="The most tokens of the prompt, by the served tokenizer.")] = 2048,
    template: Annotated[Path, typer.Option(help="A Jinja file with `question` and `passages`.")] = DEFAULT_TEMPLATE,
    llm_url: Annotated[
        str, typer.Option(envvar="RETRITON_LLM_URL", help="An OpenAI-compatible endpoint, ending in /v1.")
    ] = "",
    llm_model: Annotated[str, typer.Option(envvar="RETRITON_LLM_MODEL", help="The model's name there.")] = "",
    llm_api_key: Annotated[
        str, typer.Option(envvar="RETRITON_LLM_API_KEY", help="The key for it.", show_envvar=True)
    ] = "none",
    json_: Json = False,
) -> None:
    """Answer a question from the documents; without an LLM, print the prompt."""
    if llm_url and not llm_model:
        raise PipelineError("--llm-url needs --llm-model: the model's name at that endpoint")
    with Client(url, retry=IMPATIENT) as client, opened(milvus, collection, milvus_token) as store:
        builder = prompt_builder(client, prompt_tokens, template)
        assembled = assemble(Retriever(client, store), builder, text, top_k)
    llm = LLM(llm_url, llm_model, llm_api_key) if llm_url else None
    if json_:
        answer = {"answer": "".join(llm.stream(assembled.prompt.text))} if llm else {}
        typer.echo(json.dumps({**assembled.as_json(), **answer}, ensure_ascii=False))
    elif llm:
        for piece in llm.stream(assembled.prompt.text):
            typer.echo(piece, nl=False)
        typer.echo("\n")
        for number, hit in enumerate(assembled.prompt.hits, start=1):
            typer.echo(f"[{number}] {hit.source}" + (f", page {hit.page}" if hit.page else ""))
    else:
        typer.echo(assembled.prompt.text)


def prompt_builder(client: Client, tokens_max: int, template: Path = DEFAULT_TEMPLATE) -> PromptBuilder:
    """A builder whose budget is counted by the served tokenizer."""
    return PromptBuilder(TokenCounter(client.encoder_info()).count, tokens_max, template)


def assemble(retriever: Retriever, builder: PromptBuilder, question: str, top_k: int) -> Assembled:
    """Retrieves passages for a question, and builds the prompt."""
    found = retriever.retrieve(question, top_k)
    warn_of_truncation(found)
    start = time.perf_counter()
    prompt = builder.build(question, found.hits)
    assemble_ms = (time.perf_counter() - start) * 1e3
    latency = {
        "embed": found.embed_ms,
        "search": found.search_ms,
        "assemble": assemble_ms,
        "total": found.embed_ms + found.search_ms + assemble_ms,
    }
    return Assembled(question, prompt, latency)
