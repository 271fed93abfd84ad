"""The console script `retriton`: finds the command, and imports nothing else.

It works on a base install, where it lists the commands, and names the extra that each one needs.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence

from retriton.commands import COMMANDS, GROUPS, Command
from retriton.extras import MissingExtra, requires

EXIT_USAGE = 2
_NAME_WIDTH = max(map(len, COMMANDS)) + 2


def main() -> None:
    """Runs the command line.

    Exit codes: 0 all done; 1 an error, named on standard error; 2 wrong usage, or an extra is not installed; 3 done,
    but documents were skipped; 4 a tuned model was not shown to be better; 130 interrupted.
    """
    sys.exit(_run(sys.argv[1:]))


def _run(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0] == "--help":
        sys.stdout.write(overview())
        return 0 if arguments else EXIT_USAGE
    if arguments[0] == "--version":
        from importlib.metadata import version

        sys.stdout.write(f"retriton {version('retriton')}\n")
        return 0
    if (command := COMMANDS.get(arguments[0])) is None:
        return _refuse(_unknown(arguments[0]))
    return _run_command(command, arguments[1:])


def _run_command(command: Command, arguments: Sequence[str]) -> int:
    try:
        with requires(command.extra, f"retriton {command.name}"):
            from retriton_pipeline.cli.main import run

            return run(command, arguments)
    except MissingExtra as error:
        return _refuse(str(error))


def overview() -> str:
    """The help of `retriton` without a command: a line for each one, and the extra that it needs."""
    lines = [
        "Usage: retriton COMMAND [OPTIONS]",
        "       retriton COMMAND --help",
        "",
        "Triton-served retrieval for RAG: export an encoder, serve it, ingest documents, search and ask.",
        "Each command needs an extra, in brackets: pip install 'retriton[EXTRA]'",
    ]
    for title, group in GROUPS.items():
        lines += ["", f"{title}:"]
        lines += [f"  {command.name:<{_NAME_WIDTH}}{command.summary}  [{command.extra}]" for command in group]
    lines += ["", "Options:", "  --help     Show this message.", "  --version  Show the version.", ""]
    return "\n".join(lines)


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name, COMMANDS, n=1)
    suggestion = f"; did you mean {close[0]!r}?" if close else "; `retriton --help` lists the commands"
    return f"there is no command {name!r}{suggestion}"


def _refuse(message: str) -> int:
    sys.stderr.write(f"error: {message}\n")
    return EXIT_USAGE


if __name__ == "__main__":
    main()
