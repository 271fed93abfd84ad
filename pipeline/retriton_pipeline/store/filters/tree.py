"""The syntax tree of filters, and the fields that they may name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

INTEGERS = ("page", "chunk_index")
STRINGS = ("source", "title", "context", "document_id", "content_hash")
METADATA = "metadata"
CONTAINS = ("json_contains", "json_contains_all", "json_contains_any")

Literal: TypeAlias = str | bool | int | float
Node: TypeAlias = "Comparison | Membership | Like | Contains | Exists | Not | Junction"


@dataclass(frozen=True)
class Field:
    """A field, or a value in ``metadata``.

    Attributes:
        name: field of the collection.
        keys: path in ``metadata``: names, and positions in arrays from 0.
        is_length: whether the length of that array is meant.
    """

    name: str
    keys: tuple[str | int, ...] = ()
    is_length: bool = False


@dataclass(frozen=True)
class Comparison:
    """``field operator other``; the operator is ``==``, ``!=``, ``<``, ``<=``, ``>`` or ``>=``."""

    field: Field
    operator: str
    other: Literal | Field


@dataclass(frozen=True)
class Membership:
    """``field in [values]`` or ``field not in [values]``."""

    field: Field
    values: tuple[Literal, ...]
    is_negated: bool = False


@dataclass(frozen=True)
class Like:
    """``field like pattern``."""

    field: Field
    pattern: str


@dataclass(frozen=True)
class Contains:
    """One of the functions `CONTAINS` on an array in ``metadata``."""

    function: str
    field: Field
    values: tuple[Literal, ...]


@dataclass(frozen=True)
class Exists:
    """``exists metadata[...]``."""

    field: Field


@dataclass(frozen=True)
class Not:
    """``not node``."""

    node: Node


@dataclass(frozen=True)
class Junction:
    """``nodes`` joined with ``and`` or ``or``; at least two."""

    operator: str
    nodes: tuple[Node, ...]
