"""Options whose value may be left out, which typer does not support."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from typer.core import TyperCommand


@dataclass(frozen=True)
class OptionalValue:
    """The value of an option that is given without one.

    Attributes:
        default: the value.
        pattern: what a value looks like; the next argument is one if it matches, and otherwise an argument of its own.
    """

    default: str
    pattern: re.Pattern[str]


OPTIONAL_VALUES: Mapping[str, OptionalValue] = {
    "--ray": OptionalValue("local", re.compile(r"(local|auto|ray://\S+|[\w.\-\[\]:]+:\d+)")),
}


class CommandWithOptionalValues(TyperCommand):
    """A command that adds the values of `OPTIONAL_VALUES` where they were left out."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As the method of the base class."""
        return super().parse_args(ctx, list(completed(args)))


def completed(arguments: Sequence[str]) -> Iterator[str]:
    """``arguments`` with the values that were left out; those after ``--`` are not options."""
    for place, argument in enumerate(arguments):
        if argument == "--":
            yield from arguments[place:]
            return
        optional = OPTIONAL_VALUES.get(argument)
        following = arguments[place + 1] if place + 1 < len(arguments) else ""
        has_value = optional is None or optional.pattern.fullmatch(following)
        yield argument if has_value or optional is None else f"{argument}={optional.default}"
