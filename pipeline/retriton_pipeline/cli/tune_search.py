"""`retriton tune-search`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from retriton_client import AsyncClient, Tls
from retriton_pipeline.cli.option_groups import expand
from retriton_pipeline.cli.options import CONNECTION, Connection, Json
from retriton_pipeline.cli.output import print_json
from retriton_pipeline.errors import InvalidOption
from retriton_pipeline.evaluation import Dataset, learn_search, score_search
from retriton_pipeline.retrieval import Retriever
from retriton_pipeline.retrieval.settings import LEARNED, SearchSettings
from retriton_pipeline.store import Store

_TIMEOUT_S = 300.0


@expand(connection=CONNECTION)
def tune_search(
    connection: Connection,
    data: Annotated[
        Path | None,
        typer.Argument(
            help="Judged queries: queries.jsonl and qrels/<split>.tsv, with corpus.jsonl, in BEIR's layout."
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="The judgements to learn from: qrels/<split>.tsv.")] = "train",
    test: Annotated[str, typer.Option(help="Other judgements, with which the settings are scored.")] = "",
    rerank: Annotated[bool, typer.Option("--rerank", help="Try the served cross-encoder as well.")] = False,
    reset: Annotated[bool, typer.Option("--reset", help="Remove the settings of the collection.")] = False,
    json_: Json = False,
) -> None:
    """Learn the weights of a collection's searches from judged queries.

    The weight of dense against BM25, the candidates, the hops and reranking are stored with the collection, and used by
    all searches that leave these options open. Without DATA, prints them.
    """
    if reset and data:
        raise InvalidOption("--reset removes settings: leave out the data, or --reset")
    report = asyncio.run(_report(connection, data, split, test, rerank, reset))
    if json_:
        print_json(report)
    else:
        for name, value in report.items():
            typer.echo(f"{name}: {round(value, 4) if isinstance(value, float) else value}")


async def _report(
    connection: Connection, data: Path | None, split: str, test: str, rerank: bool, reset: bool
) -> dict[str, object]:
    async with _opened(connection) as (retriever, store):
        if reset:
            await asyncio.to_thread(store.keep_search_settings, None)
        tested: dict[str, object] = {}
        if data:
            trained = Dataset.read(data, split)
            settings = await learn_search(retriever, trained.queries, trained.qrels, rerank)
            if test:
                tested = await _tested(retriever, Dataset.read(data, test), settings)
            await asyncio.to_thread(store.keep_search_settings, settings.model_dump())
        settings = retriever.settings
        names = [*LEARNED, *(("queries", "before", "after") if settings.queries else ())]
        return {"collection": connection.collection, **{name: getattr(settings, name) for name in names}, **tested}


async def _tested(retriever: Retriever, dataset: Dataset, settings: SearchSettings) -> dict[str, object]:
    before = await score_search(retriever, dataset.queries, dataset.qrels, retriever.unlearned_settings)
    after = await score_search(retriever, dataset.queries, dataset.qrels, settings)
    means = [float(np.mean(list(scores.values()))) for scores in (before, after)]
    return {"test_queries": len(before), "test_before": means[0], "test_after": means[1]}


@asynccontextmanager
async def _opened(connection: Connection) -> AsyncIterator[tuple[Retriever, Store]]:
    async with AsyncClient(connection.url, timeout_s=_TIMEOUT_S, tls=Tls.from_environment()) as client:
        encoder = await client.encoder_info()
        store = await asyncio.to_thread(
            Store, connection.milvus, connection.collection, connection.milvus_token, "Strong", False
        )
        try:
            await asyncio.to_thread(store.open, encoder)
            yield Retriever(client, store), store
        finally:
            await asyncio.to_thread(store.close)
