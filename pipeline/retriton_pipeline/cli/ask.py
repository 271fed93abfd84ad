"""`retriton ask`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from retriton_client import Client, Tls
from retriton_pipeline.assembly import assemble
from retriton_pipeline.cli.options import (
    DEFAULT_MILVUS,
    IMPATIENT,
    Candidates,
    Collection,
    DenseWeight,
    Diversity,
    Filter,
    Fusion,
    History,
    Hops,
    Json,
    LLMKey,
    LLMModel,
    LLMTimeout,
    LLMUrl,
    Milvus,
    MilvusToken,
    MinScore,
    Mode,
    Neighbours,
    Rerank,
    TopK,
    Url,
    named_llm,
    read_history,
)
from retriton_pipeline.cli.search import opened, warn_of_truncation
from retriton_pipeline.generation.llm import LLM
from retriton_pipeline.generation.prompt import DEFAULT_TEMPLATE, Prompt, PromptBuilder
from retriton_pipeline.retrieval import Retriever, SearchOptions
from retriton_pipeline.tokens import TokenCounter, token_counter


def ask(
    text: Annotated[str, typer.Argument(help="The question.")],
    url: Url = "127.0.0.1:8001",
    milvus: Milvus = DEFAULT_MILVUS,
    milvus_token: MilvusToken = "",
    collection: Collection = "documents",
    top_k: TopK = 5,
    mode: Mode = "auto",
    fusion: Fusion = "weighted",
    dense_weight: DenseWeight = 0.6,
    candidates: Candidates = 50,
    filter_: Filter = "",
    min_score: MinScore = None,
    diversity: Diversity = 0.0,
    rerank: Rerank = False,
    neighbours: Neighbours = 1,
    hops: Hops = 2,
    decompose: Annotated[
        bool, typer.Option("--decompose", help="Let the LLM split the question, and search for each part.")
    ] = False,
    history: History = None,
    prompt_tokens: Annotated[int, typer.Option(help="The most tokens of the prompt.")] = 2048,
    prompt_tokenizer: Annotated[
        str, typer.Option(help="The LLM's tokenizer.json or hub id, to count them. Default: the served tokenizer.")
    ] = "",
    template: Annotated[
        Path, typer.Option(help="A Jinja file with `question`, `passages` and `history`.")
    ] = DEFAULT_TEMPLATE,
    llm_url: LLMUrl = "",
    llm_model: LLMModel = "",
    llm_api_key: LLMKey = "none",
    llm_timeout: LLMTimeout = 60.0,
    json_: Json = False,
) -> None:
    """Answer a question from the documents; without an LLM, print the prompt.

    With --history, a follow-up question is understood from what was said before it.
    """
    llm = named_llm(llm_url, llm_model, llm_api_key, llm_timeout)
    options = SearchOptions(
        mode=mode,
        fusion=fusion,
        dense_weight=dense_weight,
        candidates=candidates,
        condition=filter_,
        min_score=min_score,
        diversity=diversity,
        rerank=rerank,
        neighbours=neighbours,
        decompose=decompose,
        hops=hops,
    )
    tls = Tls.from_environment()
    with Client(url, retry=IMPATIENT, tls=tls) as client, opened(milvus, collection, milvus_token) as store:
        count = token_counter(prompt_tokenizer) if prompt_tokenizer else TokenCounter(client.encoder_info()).count
        builder = PromptBuilder(count, prompt_tokens, template)
        assembled = assemble(Retriever(client, store, llm), builder, text, top_k, options, read_history(history))
    warn_of_truncation(assembled.tokens_dropped)
    if json_:
        typer.echo(json.dumps({**assembled.as_json(), **_answer(llm, assembled.prompt)}, ensure_ascii=False))
    elif llm:
        _print_answer(llm, assembled.prompt)
    else:
        typer.echo(assembled.prompt.text)


def _answer(llm: LLM | None, prompt: Prompt) -> dict[str, Any]:
    if llm is None:
        return {}
    answer = llm.complete(prompt.text)
    cited = [{"number": number, **_source(prompt, number)} for number in prompt.cited(answer)]
    return {"answer": answer, "citations": cited}


def _print_answer(llm: LLM, prompt: Prompt) -> None:
    pieces = []
    for piece in llm.stream(prompt.text):
        typer.echo(piece, nl=False)
        pieces.append(piece)
    typer.echo("\n")
    cited = prompt.cited("".join(pieces))
    for number in cited or range(1, len(prompt.hits) + 1):
        source = _source(prompt, number)
        typer.echo(f"[{number}] {source['source']}" + (f", page {source['page']}" if source["page"] else ""))
    if not cited:
        typer.echo("(the answer cites none of these passages)")


def _source(prompt: Prompt, number: int) -> dict[str, Any]:
    hit = prompt.hits[number - 1]
    return {"source": hit.source, "page": hit.page}
