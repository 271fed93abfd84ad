"""`retriton demo`: everything once, from documents to a prompt."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from retriton_pipeline.cli.escaping import visible_lines
from retriton_pipeline.cli.export import export_errors
from retriton_pipeline.cli.output import print_json, print_passages
from retriton_pipeline.cli.progress import steps
from retriton_pipeline.cli.server_options import ModelRepository, ServerEnv
from retriton_pipeline.rag import PromptedQuestion, Rag
from retriton_pipeline.store import LAYOUT
from retriton_serving.contract.manifest import Manifest
from retriton_serving.launcher import (
    Endpoint,
    LaunchError,
    TritonServer,
    TritonWheel,
    default_repository,
    ensure_server_env,
    installed_encoder,
    samples_folder,
)
from retriton_serving.launcher.repository import data_folder


def demo(
    question: Annotated[str, typer.Argument(help="The question.")] = (
        "Why does a query not have to wait behind bulk passages?"
    ),
    documents: Annotated[
        Path | None, typer.Option(help="A file or folder to ingest. Default: the sample documents.")
    ] = None,
    model_repository: ModelRepository = None,
    server_env: ServerEnv = None,
    folder: Annotated[
        Path | None,
        typer.Option(help="Folder for the Milvus Lite file and the server's log. Default: in the user's data folder."),
    ] = None,
) -> None:
    """Serve an encoder, ingest sample documents, and ask a question.

    What is missing is created first: the server's environment, and the default encoder. Triton is stopped at the end.
    The last line of the output is one JSON object.
    """
    repository = model_repository or default_repository()
    folder = folder or data_folder() / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    with steps() as on_step:
        encoder = _encoder(repository, on_step).encoder
        triton = TritonWheel(ensure_server_env(server_env, on_step=on_step))
    with (folder / "triton.log").open("wb") as log, TritonServer(triton, repository, Endpoint.free(), log) as server:
        server.wait_ready()
        url = server.endpoint.grpc_url
        typer.echo(f"Triton serves {encoder.name} on {url} (log: {log.name})")
        documents = documents or samples_folder()
        collection = f"demo_{encoder.fingerprint}_{LAYOUT}_{_digest(documents)}"
        with Rag(url, folder / "demo.db", collection, prompt_tokens=1024) as rag:
            prompted = _ingest_and_ask(rag, documents, question)
    print_passages(prompted.passages)
    typer.echo(f"\n{'-' * 30} prompt {'-' * 30}\n{visible_lines(prompted.prompt.text)}\n{'-' * 68}")
    typer.echo("milliseconds: " + ", ".join(f"{stage} {ms:.1f}" for stage, ms in prompted.latency_ms.items()))
    print_json(prompted.as_json())


def _encoder(repository: Path, on_step: Callable[[str], None]) -> Manifest:
    """The installed encoder; the default one is exported if none is installed."""
    try:
        return installed_encoder(repository)
    except LaunchError:
        from retriton_export import Checkpoint, export_encoder

        with export_errors():
            return export_encoder(Checkpoint.read(), repository, on_step=on_step)[0]


def _digest(path: Path) -> str:
    """Names ``path`` in a collection's name: the samples of two clones, which are the same texts, would hide others."""
    return sha256(str(path.resolve()).encode()).hexdigest()[:8]


def _ingest_and_ask(rag: Rag, documents: Path, question: str) -> PromptedQuestion:
    report = rag.ingest([documents])
    typer.echo(
        f"Milvus Lite: {report.added} documents added, {report.unchanged} unchanged, "
        f"{report.chunks} chunks embedded in {report.seconds:.2f} s\n\nQuestion: {question}\n"
    )
    rag.retrieve("warm-up")  # the first search of a process loads the index
    return rag.prompt(question, top_k=3)
