"""Writes filters from their syntax trees, as Milvus gets them."""

from __future__ import annotations

import json

from retriton_pipeline.errors import InvalidFilter
from retriton_pipeline.store.filters.tree import (
    METADATA,
    Comparison,
    Contains,
    Exists,
    Field,
    Junction,
    Like,
    Literal,
    Membership,
    Node,
    Not,
)

_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<", "and": "or", "or": "and"}


def render(node: Node, is_lite: bool) -> str:
    """Returns the expression for Milvus.

    Args:
        node: from `parse`.
        is_lite: whether it is for Milvus Lite.

    Raises:
        InvalidFilter: Milvus Lite has no equivalent expression.
    """
    match node:
        case Junction():
            return _joined(node.operator, [render(part, is_lite) for part in node.nodes])
        case Not():
            return render(_negated(node.node), True) if is_lite else f"(not ({render(node.node, False)}))"
        case Exists() if is_lite:
            raise InvalidFilter("Milvus Lite has no exists in filters: compare with a value, or use a Milvus server")
        case Comparison() if is_lite and node.field.is_length and node.operator not in ("==", "!="):
            raise InvalidFilter("Milvus Lite compares array_length with == and != only: use one, or a Milvus server")
        case Like() if is_lite and "\\" in node.pattern:
            raise InvalidFilter("Milvus Lite has no backslash in patterns: compare with ==, or use a Milvus server")
        case _:
            return _condition(node)


def _condition(node: Comparison | Membership | Like | Contains | Exists) -> str:
    field = _field(node.field)
    match node:
        case Comparison():
            other = _field(node.other) if isinstance(node.other, Field) else _literal(node.other)
            return f"{field} {node.operator} {other}"
        case Membership():
            return f"{field} {'not in' if node.is_negated else 'in'} {_list(node.values)}"
        case Like():
            return f"{field} like {_literal(node.pattern)}"
        case Contains():
            return f"{node.function}({field}, {_literal(node.values[0]) if _is_single(node) else _list(node.values)})"
        case Exists():
            return f"exists {field}"


def _is_single(node: Contains) -> bool:
    return node.function == "json_contains"


def _joined(operator: str, parts: list[str]) -> str:
    """Joins expressions as a balanced tree: Milvus Lite rejects a deeper one than about fifty levels."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return f"({_joined(operator, parts[:half])} {operator} {_joined(operator, parts[half:])})"


def _negated(node: Node) -> Node:
    """Returns the opposite of a filter without ``not``, which Milvus Lite does not have."""
    match node:
        case Not():
            return node.node
        case Junction():
            return Junction(_OPPOSITE[node.operator], tuple(map(_negated, node.nodes)))
        case Membership():
            return Membership(node.field, node.values, not node.is_negated)
        case Comparison() if node.field.name != METADATA or node.operator in ("==", "!="):
            return Comparison(node.field, _OPPOSITE[node.operator], node.other)
        case _:
            raise InvalidFilter(
                f"Milvus Lite cannot negate {_condition(node)}: write the opposite comparison, or use a Milvus server"
            )


def _field(field: Field) -> str:
    path = field.name + "".join(f"[{_literal(key)}]" for key in field.keys)
    return f"array_length({path})" if field.is_length else path


def _list(values: tuple[Literal, ...]) -> str:
    return f"[{', '.join(map(_literal, values))}]"


def _literal(value: Literal) -> str:
    """Returns a literal; strings have no control characters, so only quotes and backslashes need an escape."""
    return json.dumps(value, ensure_ascii=False)
