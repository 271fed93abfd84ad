"""Puts the commands together, and turns expected errors into one line and an exit code."""

from __future__ import annotations

import logging
import sys

import typer

from retriton_client import RetritonError
from retriton_pipeline.cli import ask, demo, evaluate, export, gateway, ingest, init, search, serve, setup, techqa
from retriton_pipeline.errors import PipelineError
from retriton_serving.launcher import LaunchError

EXIT_ERROR = 1

app = typer.Typer(
    name="retriton",
    help="Triton-served retrieval for RAG: export an encoder, serve it, ingest documents, search and ask.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    setup.setup,
    init.init,
    export.export,
    serve.serve,
    gateway.gateway,
    gateway.key,
    ingest.ingest,
    search.search,
    ask.ask,
    evaluate.eval_,
    techqa.techqa,
    demo.demo,
):
    app.command(name=command.__name__.rstrip("_"))(command)


def main() -> None:
    """Runs the command line.

    Exit codes: 0 all done; 1 an error, named on standard error; 2 wrong usage; 3 done, but files were skipped;
    130 interrupted.
    """
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # it logs a traceback for every error that we name
    try:
        app()
    except (PipelineError, RetritonError, LaunchError, export.export_error()) as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(EXIT_ERROR)
    except KeyboardInterrupt:
        sys.exit(130)
