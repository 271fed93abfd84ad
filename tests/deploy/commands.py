"""Checks command lines of `retriton` without running them."""

from __future__ import annotations

import typer
from typer.testing import CliRunner

from retriton.commands import COMMANDS
from retriton_pipeline.cli.main import command_app


def problem(arguments: list[str]) -> str:
    """What is wrong with ``retriton ARGUMENTS``; empty if nothing is.

    ``--help`` behind them makes the command check all options, and run nothing.
    """
    name, *options = arguments
    if name not in COMMANDS:
        return f"there is no command {name!r}"
    result = CliRunner().invoke(command_app(COMMANDS[name]), [*options, "--help"])
    return "" if result.exit_code == 0 else result.output


def environment_variables() -> set[str]:
    """Those that an option of some command reads."""
    commands = [typer.main.get_command(command_app(command)) for command in COMMANDS.values()]
    return {name for command in commands for parameter in command.params for name in _names(parameter.envvar)}


def _names(variable: str | list[str] | None) -> list[str]:
    return [variable] if isinstance(variable, str) else list(variable or [])
