"""Runs one command, and turns expected errors into one line and an exit code."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import typer

from retriton.commands import Command
from retriton_client import RetritonError
from retriton_pipeline.cli.escaping import visible_error
from retriton_pipeline.cli.optional_value import CommandWithOptionalValues
from retriton_pipeline.errors import PipelineError
from retriton_serving.launcher import LaunchError

EXIT_ERROR = 1
EXIT_INTERRUPTED = 130


def command_app(command: Command) -> typer.Typer:
    """The command line of one command; imports its module."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command(name=command.name, cls=CommandWithOptionalValues)(command.load())
    return app


def run(command: Command, arguments: Sequence[str]) -> int:
    """Runs ``command``, and returns its exit code; see `retriton.__main__.main`."""
    try:
        app = command_app(command)
        # pymilvus configures its logger when the command imports it, and logs a traceback for every error we report
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
        app(args=list(arguments), prog_name=f"retriton {command.name}")
    except SystemExit as finished:
        return int(finished.code or 0)
    except (PipelineError, RetritonError, LaunchError) as error:
        typer.echo(f"error: {visible_error(error)}", err=True)
        return EXIT_ERROR
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return 0
