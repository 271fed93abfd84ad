"""Parses filters.

::

    filter     = and { "or" and }
    and        = not { "and" not }
    not        = "not" not | "(" filter ")" | condition
    condition  = operand compare operand [ compare operand ]
               | field [ "not" ] "in" list
               | field "like" string
               | ( "json_contains" | "json_contains_all" | "json_contains_any" ) "(" field "," ( value | list ) ")"
               | "exists" field
    operand    = field | value | "array_length" "(" field ")"
    field      = name { "[" ( string | integer ) "]" }
    list       = "[" value { "," value } "]"
    value      = string | number | "true" | "false"
    compare    = "==" | "!=" | "<" | "<=" | ">" | ">="
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn, TypeAlias

from retriton_pipeline.store.filters import checks
from retriton_pipeline.store.filters.tokens import Token, fail, string_value, tokens_of
from retriton_pipeline.store.filters.tree import (
    CONTAINS,
    INTEGERS,
    METADATA,
    STRINGS,
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

DEPTH_MAX = 12  # nested parentheses and nots
CONDITIONS_MAX = 64
VALUES_MAX = 1024  # of a list
_KEYS_MAX = 8
_COMPARE = ("==", "!=", "<", "<=", ">", ">=")
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ALIASES = {name.replace("json", "array"): name for name in CONTAINS}  # what Milvus calls them for array fields
_Operand: TypeAlias = tuple[Token, Field | Literal]
_NAMES = (*INTEGERS, *STRINGS, f'{METADATA}["name"]')


def parse(filter_: str) -> Node:
    """Parses a filter.

    Raises:
        InvalidFilter: it is malformed, names an unknown field, compares a field with a value of another type, or is
            longer or more deeply nested than allowed.
    """
    return _Parser(filter_).filter()


class _Parser:
    def __init__(self, filter_: str) -> None:
        self._filter = filter_
        self._tokens = tokens_of(filter_)
        self._place = self._depth = self._conditions = 0

    def filter(self) -> Node:
        node = self._or()
        if self._next.kind != "end":
            self._fail("and, or, or the end of the filter")
        return node

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _fail(self, expected: str, token: Token | None = None) -> NoReturn:
        fail(self._filter, (token or self._next).position, expected)

    def _take(self) -> Token:
        token = self._next
        self._place += token.kind != "end"
        return token

    def _has(self, *texts: str) -> bool:
        return self._next.kind in ("name", "symbol") and self._next.text in texts

    def _accept(self, text: str) -> bool:
        found = self._has(text)
        self._place += found
        return found

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            self._fail(text)

    def _or(self) -> Node:
        return self._junction("or", self._and)

    def _and(self) -> Node:
        return self._junction("and", self._not)

    def _junction(self, operator: str, part: Callable[[], Node]) -> Node:
        nodes = [part()]
        while self._accept(operator):
            nodes.append(part())
        return Junction(operator, tuple(nodes)) if len(nodes) > 1 else nodes[0]

    def _not(self) -> Node:
        if not self._has("not", "("):
            return self._condition()
        self._depth += 1
        if self._depth > DEPTH_MAX:
            self._fail(f"at most {DEPTH_MAX} nested parentheses and nots")
        if self._take().text == "not":
            node: Node = Not(self._not())
        else:
            node = self._or()
            self._expect(")")
        self._depth -= 1
        return node

    def _condition(self) -> Node:
        self._conditions += 1
        if self._conditions > CONDITIONS_MAX:
            self._fail(f"at most {CONDITIONS_MAX} conditions; field in [...] compares with many values")
        if self._accept("exists"):
            return Exists(self._metadata())
        name = self._next.text.lower()
        name = _ALIASES.get(name, name)
        if self._next.kind == "name" and name in CONTAINS:
            return self._contains(name)
        return self._comparison()

    def _contains(self, function: str) -> Node:
        self._take()
        self._expect("(")
        field = self._metadata()
        self._expect(",")
        place = self._next
        values = (self._value(),) if function == "json_contains" else self._list()
        if function != "json_contains" and any(isinstance(value, bool) for value in values):
            self._fail("strings or numbers in the list; json_contains compares with true and false", place)
        self._expect(")")
        return Contains(function, field, values)

    def _comparison(self) -> Node:
        start, field = self._operand()
        if isinstance(field, Field) and self._has("like"):
            return self._like(start, field)
        if isinstance(field, Field) and self._has("in", "not"):
            return self._membership(field)
        if not self._has(*_COMPARE):
            self._fail(f"{', '.join(_COMPARE)}, in, not in or like")
        operands, operators = [(start, field)], list[str]()
        while self._has(*_COMPARE) and len(operators) < 2:  # 1 < page <= 3
            operators.append(self._take().text)
            operands.append(self._operand())
        nodes = [self._compared(*parts) for parts in zip(operands, operators, operands[1:], strict=False)]
        return Junction("and", tuple(nodes)) if len(nodes) > 1 else nodes[0]

    def _compared(self, first: _Operand, operator: str, second: _Operand) -> Node:
        (start, left), (place, right) = first, second
        if isinstance(left, Field):
            node = Comparison(left, operator, right)
        elif isinstance(right, Field):
            node, place = Comparison(right, _MIRRORED[operator], left), start
        else:
            self._fail(f"a field in the comparison: {', '.join(_NAMES)}", start)
        if problem := checks.comparison(node):
            self._fail(problem, place)
        return node

    def _membership(self, field: Field) -> Node:
        is_negated = self._accept("not")
        self._expect("in")
        place, values = self._next, self._list()
        if problem := checks.membership(field, values):
            self._fail(problem, place)
        return Membership(field, checks.of_one_type(values), is_negated)

    def _like(self, start: Token, field: Field) -> Node:
        if not checks.is_text(field):
            self._fail("a field of text before like", start)
        self._take()
        place = self._next
        pattern = self._value()
        if problem := checks.pattern(pattern):
            self._fail(problem, place)
        return Like(field, str(pattern))

    def _operand(self) -> _Operand:
        start = self._next
        if start.kind != "name" or self._has("true", "false"):
            return start, self._value()
        if start.text.lower() != "array_length":
            return start, self._field()
        self._take()
        self._expect("(")
        field = replace(self._metadata(), is_length=True)
        self._expect(")")
        return start, field

    def _metadata(self) -> Field:
        start, field = self._next, self._field()
        if field.name != METADATA:
            self._fail(f'{METADATA}["name"]', start)
        return field

    def _field(self) -> Field:
        token = self._take()
        if token.kind != "name" or token.text not in (*INTEGERS, *STRINGS, METADATA):
            self._fail(f"one of the fields {', '.join(_NAMES)}", token)
        keys: list[str | int] = []
        while token.text == METADATA and self._accept("["):
            keys.append(self._key(len(keys)))
            self._expect("]")
        if token.text == METADATA and not keys:
            self._fail(f'the name of a value, as in {METADATA}["year"]')
        return Field(token.text, tuple(keys))

    def _key(self, depth: int) -> str | int:
        token = self._take()
        key = self._literal(token, 1) if token.kind in ("string", "number") else ""
        if depth == _KEYS_MAX or isinstance(key, float) or key == "" or (isinstance(key, int) and key > 0x7FFFFFFF):
            self._fail(f"the name of a value or a position in an array, at most {_KEYS_MAX} deep", token)
        return key

    def _list(self) -> tuple[Literal, ...]:
        self._expect("[")
        values = [self._value()]
        while self._accept(",") and not self._has("]"):
            if len(values) == VALUES_MAX:
                self._fail(f"at most {VALUES_MAX} values in a list")
            values.append(self._value())
        self._expect("]")
        return tuple(values)

    def _value(self) -> Literal:
        sign = -1 if self._has("-") else 1
        if self._has("-", "+"):
            self._take()
            if self._next.kind != "number":
                self._fail("a number")
        token = self._take()
        if token.kind in ("string", "number"):
            return self._literal(token, sign)
        if token.text not in ("true", "false"):
            self._fail("a value: a string in quotes, a number, true or false", token)
        return token.text == "true"

    def _literal(self, token: Token, sign: int) -> str | int | float:
        if token.kind == "string":
            return string_value(self._filter, token)
        value = checks.number(token.text, sign)
        if value is None:
            self._fail("an integer of at most 64 bits without leading zeros, or a finite number", token)
        return value
