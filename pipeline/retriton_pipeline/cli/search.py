"""`retriton search`."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Annotated

import typer

from retriton_client import Client, Tls
from retriton_pipeline.assembly import passages_json, rounded
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
    Milvus,
    MilvusToken,
    MinScore,
    Mode,
    Neighbours,
    Rerank,
    TopK,
    Url,
    read_history,
)
from retriton_pipeline.retrieval import Retriever, SearchOptions
from retriton_pipeline.store import ScoredChunk, Store


def search(
    text: Annotated[str, typer.Argument(help="What to look for.")],
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
    neighbours: Neighbours = 0,
    hops: Hops = 2,
    history: History = None,
    json_: Json = False,
) -> None:
    """Print the best passages for a text, best first."""
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
        hops=hops,
    )
    tls = Tls.from_environment()
    with Client(url, retry=IMPATIENT, tls=tls) as client, opened(milvus, collection, milvus_token) as store:
        found = Retriever(client, store).retrieve(text, top_k, options, read_history(history))
    warn_of_truncation(found.tokens_dropped)
    if json_:
        document = {"question": text, "passages": passages_json(found.hits), "latency_ms": rounded(found.latency_ms)}
        typer.echo(json.dumps(document, ensure_ascii=False))
    else:
        print_passages(found.hits)


def warn_of_truncation(tokens_dropped: int) -> None:
    """Says on standard error that the question was too long."""
    if tokens_dropped:
        typer.echo(f"warning: the question is too long: its first {tokens_dropped} tokens were dropped", err=True)


def opened(milvus: str, collection: str, token: str) -> closing[Store]:
    """A store that must be there already, and is closed at the end."""
    return closing(Store(milvus, collection, token, create=False))


def print_passages(hits: list[ScoredChunk]) -> None:
    """Passages for people."""
    if not hits:
        typer.echo("nothing found")
    for number, hit in enumerate(hits, start=1):
        page = f", page {hit.page}" if hit.page else ""
        typer.echo(f"[{number}] {hit.score:.4f}  {hit.source}{page}, chunk {hit.chunk_index}\n    {preview(hit.text)}")


def preview(text: str, characters: int = 300) -> str:
    """The beginning of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= characters else line[: characters - 1] + "…"
