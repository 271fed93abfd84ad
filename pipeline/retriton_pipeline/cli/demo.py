"""`retriton demo`: the whole way of a document and of a question, once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from retriton_client import Client
from retriton_pipeline.assembly import assemble
from retriton_pipeline.cli.ingest import IngestOptions, ingest_paths
from retriton_pipeline.cli.options import DEFAULT_REPOSITORY, DEFAULT_SERVER_ENV, ModelRepository, ServerEnv
from retriton_pipeline.cli.search import opened, print_passages
from retriton_pipeline.generation.prompt import PromptBuilder
from retriton_pipeline.retrieval import Retriever
from retriton_pipeline.store import LAYOUT, Store
from retriton_pipeline.tokens import TokenCounter
from retriton_serving.launcher import Endpoint, TritonServer, TritonWheel, installed_encoder


def demo(
    question: Annotated[str, typer.Argument(help="What to ask the documents.")] = (
        "Why does a query not have to wait behind bulk passages?"
    ),
    documents: Annotated[Path, typer.Option(help="What to ingest.")] = Path("docs/samples"),
    model_repository: ModelRepository = DEFAULT_REPOSITORY,
    server_env: ServerEnv = DEFAULT_SERVER_ENV,
    folder: Annotated[Path, typer.Option(help="Where the store and the server's log are kept.")] = Path(".retriton"),
) -> None:
    """Start Triton, ingest sample documents, ask a question, and stop.

    The last line is one JSON document.
    """
    encoder = installed_encoder(model_repository).encoder
    folder.mkdir(exist_ok=True)
    milvus, collection = str(folder / "demo.db"), f"demo_{encoder.fingerprint}_{LAYOUT}"
    with (folder / "triton.log").open("wb") as log:
        server = TritonServer(TritonWheel(server_env), model_repository, Endpoint.free(), log)
        with server:
            server.wait_ready()
            url = server.endpoint.grpc_url
            typer.echo(f"Triton serves {encoder.name} on {url} (its log: {log.name})")
            report = ingest_paths([documents], url, lambda: Store(milvus, collection), IngestOptions())
            typer.echo(
                f"Milvus Lite {milvus}: {report.added} documents added, {report.unchanged} unchanged, "
                f"{report.chunks} chunks embedded in {report.seconds:.2f} s\n\nQuestion: {question}\n"
            )
            with Client(url) as client, opened(milvus, collection, "") as store:
                retriever = Retriever(client, store)
                retriever.retrieve("warm-up")  # the first search of a process loads the index
                builder = PromptBuilder(TokenCounter(client.encoder_info()).count, tokens_max=1024)
                assembled = assemble(retriever, builder, question, top_k=3)
    print_passages(assembled.prompt.hits)
    typer.echo(f"\n{'-' * 30} prompt {'-' * 30}\n{assembled.prompt.text}\n{'-' * 68}")
    typer.echo("milliseconds: " + ", ".join(f"{stage} {ms:.1f}" for stage, ms in assembled.latency_ms.items()))
    typer.echo(json.dumps(assembled.as_json(), ensure_ascii=False))
