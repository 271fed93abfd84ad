"""Source code: a section for each function and class, with the comments and decorators above it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Name, Text, Whitespace, _TokenType

from retriton_pipeline.documents.model import Block, Content
from retriton_pipeline.documents.text.encoding import decode
from retriton_pipeline.errors import UnreadableDocument

_DEFINING = {
    "class", "contract", "def", "defmodule", "defp", "enum", "fn", "fun", "func", "function", "impl", "interface",
    "message", "mod", "module", "namespace", "object", "record", "service", "struct", "sub", "trait", "type",
}  # fmt: skip
_SQL = re.compile(
    r"^create\s+(?:or\s+replace\s+)?(?:\w+\s+)?(?:table|view|function|procedure|trigger|index|type)\s+"
    r"(?:if\s+not\s+exists\s+)?([\w.\"`\[\]]+)",
    re.IGNORECASE | re.MULTILINE,
)
_ABOVE = re.compile(r"\s*(?:@|#|//|/\*|\*|--|\[)")  # lines above a definition that belong to it
_LEVELS_MAX = 3  # definitions within others are sections down to this depth
_LINE_CHARACTERS_MAX = 2_000
_MINIFIED = 400  # characters of an average line
_TAB_SPACES = 4


@dataclass(frozen=True)
class _Definition:
    """A definition: the number of its line, from 0, its indentation, and its name."""

    line: int
    indent: int
    name: str


def read_source(raw: bytes, language: str) -> Content:
    """The definitions of a program as sections.

    Args:
        raw: the file.
        language: its name for Pygments.

    Raises:
        UnreadableDocument: it is not text, or was written by a program that removes line breaks.
    """
    text = decode(raw)
    lines = text.split("\n")
    if len(text) > _LINE_CHARACTERS_MAX and len(text) / len(lines) > _MINIFIED:
        raise UnreadableDocument("it is minified or generated, not source code that people read")
    return Content("", _sections(lines, list(definitions(text, language))))


def definitions(text: str, language: str) -> Iterator[_Definition]:
    """The functions, classes and the like of a program, at most one for each line."""
    if language == "sql":
        for match in _SQL.finditer(text):
            yield _Definition(text.count("\n", 0, match.start()), 0, match[1])
        return
    lines = text.split("\n")
    found = -1
    previous = ""
    number = 0
    for kind, value in get_lexer_by_name(language, stripnl=False, ensurenl=False).get_tokens(text):
        if number > found and _defines(kind, value, previous):
            found = number
            yield _Definition(number, _indent(lines[number]), value.strip())
        number += value.count("\n")
        if kind not in Text and kind not in Whitespace and kind not in Comment:
            previous = value if kind in Keyword or kind in Name else ""


def _defines(kind: _TokenType, value: str, previous: str) -> bool:
    if not value.strip() or kind in Name.Function.Magic:  # calls of macros
        return False
    return kind in (Name.Function, Name.Class) or (previous in _DEFINING and kind in Name)


def _indent(line: str) -> int:
    expanded = line.expandtabs(_TAB_SPACES)
    return len(expanded) - len(expanded.lstrip())


def _sections(lines: Sequence[str], found: Sequence[_Definition]) -> list[Block]:
    blocks: list[Block] = []
    indents: list[int] = []  # of the definitions around a line
    start = 0
    pending: list[Block] = []
    for definition in found:
        while indents and indents[-1] >= definition.indent:
            indents.pop()
        if len(indents) >= _LEVELS_MAX:
            continue
        first = _first_line(lines, definition.line, start)
        blocks += [*pending, *_code(lines[start:first])]
        indents.append(definition.indent)
        pending, start = [Block(definition.name, heading_level=len(indents))], first
    return [*blocks, *pending, *_code(lines[start:])]


def _first_line(lines: Sequence[str], line: int, start: int) -> int:
    """The first of the comments and decorators directly above ``line``."""
    while line > start and _ABOVE.match(lines[line - 1]):
        line -= 1
    return line


def _code(lines: Sequence[str]) -> list[Block]:
    text = "\n".join(line.rstrip() for line in lines).strip("\n")
    return [Block(text, verbatim=True)] if text.strip() else []
