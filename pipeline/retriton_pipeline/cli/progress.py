"""Progress of long steps, on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from retriton_pipeline.cli.escaping import visible


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """Gives a function that shows a step: a spinner on a terminal, one line a step elsewhere."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        yield lambda step: console.print(visible(step), markup=False)
        return
    with console.status("") as status:

        def show(step: str) -> None:
            console.print(visible(step), markup=False)
            status.update("[dim]this takes a minute or two the first time[/dim]")

        yield show
