"""Writes docs/cli.md, the reference of the command line, from the commands themselves.

python docs/cli_reference.py
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import typer.main

from retriton.commands import GROUPS, Command
from retriton_pipeline.cli.main import command_app

PAGE = Path(__file__).with_name("cli.md")
_HEAD = """\
# Command line

<!-- Written by docs/cli_reference.py: do not edit. -->

`retriton` lists the commands, and `retriton COMMAND --help` shows the options of one. Each command needs an
[extra](quickstart.md#which-extra-do-i-need); if it is missing, the command names it with the `pip install` line.

| exit code | meaning |
| --- | --- |
| 0 | success |
| 1 | an error, reported on standard error |
| 2 | invalid usage, or an extra is missing |
| 3 | success, but files were skipped |
| 4 | `retriton tune`: the model was not shown to be better |
| 130 | interrupted |

`RETRITON_TLS_CA` is a file of certificates that enables TLS for connections to Triton; `RETRITON_TLS_NAME` is the host
name of the server's certificate, if it differs from the address. `RETRITON_TLS_CERT` and `RETRITON_TLS_KEY` are the
client's certificate and key, for a server that requires mutual TLS.
"""
_BY_MACHINE = {"workers"}  # options whose default depends on the number of cores
_TAIL = """
## retriton-health

```text
retriton-health [HOST:PORT] [--timeout SECONDS]
```

Embeds a short text on each lane. Exit code 0 and the milliseconds of each lane, or 1 and the reason. It is part of the
base install, for exec probes of containers. The default address is `RETRITON_URL`, or `127.0.0.1:8001`.
"""


def reference() -> str:
    """The text of docs/cli.md."""
    commands = [_command(command) for group in GROUPS.values() for command in group]
    return _HEAD + "".join(commands) + _TAIL


def _command(command: Command) -> str:
    click = typer.main.get_command(command_app(command))
    arguments = [parameter for parameter in click.params if parameter.param_type_name == "argument"]
    options = [parameter for parameter in click.params if parameter.param_type_name == "option"]
    usage = " ".join(["retriton", command.name, *(_usage(argument) for argument in arguments), "[OPTIONS]"])
    lines = [f"\n## retriton {command.name}\n", f"```text\n{usage}\n```\n", f"Extra: `{command.extra}`.\n"]
    lines += [f"{_text(paragraph)}\n" for paragraph in (click.help or "").split("\n\n")]
    if arguments:
        lines += ["| argument | meaning |", "| --- | --- |", *map(_argument, arguments), ""]
    options = [option for option in options if option.name != "help"]
    if options:
        lines += ["| option | default | meaning |", "| --- | --- | --- |", *map(_option, options), ""]
    return "\n".join(lines)


def _usage(argument: Any) -> str:
    name: str = argument.metavar or argument.name.upper()
    return name if argument.required else f"[{name}]"


def _argument(argument: Any) -> str:
    return f"| `{_usage(argument)}` | {_cell(argument.help)} |"


def _option(option: Any) -> str:
    names = "`, `".join([*option.opts, *option.secondary_opts])
    environment = f" Environment: `{option.envvar}`." if option.envvar else ""
    return f"| `{names}` | {_default(option)} | {_cell(option.help)}{environment} |"


def _default(option: Any) -> str:
    if option.name in _BY_MACHINE or option.default in (None, "", (), []) or option.default is False:
        return ""
    if option.default is True:
        return f"`{option.opts[0]}`"
    default = option.default
    return f"`{default.name if isinstance(default, Path) and default.is_absolute() else default}`"


def _cell(text: str | None) -> str:
    return re.sub(r"[|*<]", r"\\\g<0>", _text(text or ""))


def _text(text: str) -> str:
    """One line; typer marks line breaks of paragraphs with a form feed or a backspace."""
    return re.sub(r"\s+", " ", text.replace("\b", "").replace("\f", "")).strip()


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
