"""Options that are declared once, as the fields of a class, and become the options of several commands."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar, get_args, get_type_hints

import typer

if TYPE_CHECKING:  # commands with groups of dataclasses alone do not need pydantic
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

T = TypeVar("T")


@dataclass(frozen=True)
class OptionGroup(Generic[T]):
    """Options that together make one value.

    Attributes:
        parameters: an option each, as typer reads them from a signature.
        build: makes the value of the options' values, which are its keyword arguments.
    """

    parameters: tuple[inspect.Parameter, ...]
    build: Callable[..., T]


def parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    """A parameter of a command."""
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def of_dataclass(cls: type[T]) -> OptionGroup[T]:
    """The fields of a dataclass; each annotation carries its ``typer.Option``, and each has a default."""
    hints = get_type_hints(cls, include_extras=True)
    options = [parameter(field.name, hints[field.name], field.default) for field in fields(cls)]  # type: ignore[arg-type]
    return OptionGroup(tuple(options), cls)


def as_environ(group: OptionGroup[T], values: T) -> dict[str, str]:
    """The values of a group as the environment variables of its options; an empty one stands for the default."""
    return {
        get_args(option.annotation)[-1].envvar: _variable(getattr(values, option.name)) for option in group.parameters
    }


def of_model(
    model: type[BaseModel],
    build: Callable[..., T],
    panel: str,
    short: dict[str, str],
    variables: dict[str, str],
) -> OptionGroup[T]:
    """The fields of a pydantic model: name, type, bounds, default, and the description as help.

    Args:
        model: declares the options.
        build: makes the value of the options' values.
        panel: heading of the options in the help.
        short: one-letter names, by field.
        variables: environment variables, by field.
    """
    options = []
    for name, field in model.model_fields.items():
        flags = [flag_of(name), *([short[name]] if name in short else [])]
        low, high = _bounds(field)
        option = typer.Option(
            *flags, help=field.description, envvar=variables.get(name), min=low, max=high, rich_help_panel=panel
        )
        options.append(parameter(name, Annotated[field.annotation, option], field.default))
    return OptionGroup(tuple(options), build)


def flag_of(field: str) -> str:
    """``dense_weight`` as ``--dense-weight``."""
    return f"--{field.replace('_', '-')}"


def expand(**groups: OptionGroup[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Replaces parameters of a command, by their names, with the options of a group; it gets the group's value."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def expanded(**values: Any) -> None:
            built = {
                name: group.build(**{option.name: values.pop(option.name) for option in group.parameters})
                for name, group in groups.items()
            }
            command(**values, **built)

        parameters: list[inspect.Parameter] = []
        for name, given in inspect.signature(command, eval_str=True).parameters.items():
            own = given.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            parameters += groups[name].parameters if name in groups else (own,)
        expanded.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        expanded.__annotations__ = {option.name: option.annotation for option in parameters}
        return expanded

    return decorate


def _variable(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else str(value)


def _bounds(field: FieldInfo) -> tuple[Any, Any]:
    """The least and the greatest value; None where there is no bound."""
    from annotated_types import Ge, Le

    least = [bound.ge for bound in field.metadata if isinstance(bound, Ge)]
    greatest = [bound.le for bound in field.metadata if isinstance(bound, Le)]
    return next(iter(least), None), next(iter(greatest), None)
