"""Whether a command line of ours is one: read by the command line itself, and not run."""

from __future__ import annotations

import typer
from typer.testing import CliRunner

from retriton_pipeline.cli import app


def problem(arguments: list[str]) -> str:
    """What is wrong with ``retriton ARGUMENTS``; empty if nothing is.

    With ``--help`` behind them all options are looked up, and nothing is done.
    """
    result = CliRunner().invoke(app, [*arguments, "--help"])
    return "" if result.exit_code == 0 else result.output


def environment_variables() -> set[str]:
    """Those that an option of some command reads."""
    commands = typer.main.get_command(app).commands.values()  # type: ignore[attr-defined]
    return {name for command in commands for parameter in command.params for name in _names(parameter.envvar)}


def _names(variable: str | list[str] | None) -> list[str]:
    return [variable] if isinstance(variable, str) else list(variable or [])
